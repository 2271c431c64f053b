# pdb COMMAND…: what "prontodb COMMAND…" does, answered by one process beside this
# script (docs/init.md). It is made by "prontodb init bash".
#
# A backslash before a name keeps an alias from taking its place, and builtin a
# function. Nothing fails but in a condition: the script may end at an error, or
# trap it. Bash copies a function each time that it is called, so pdb is short.

_pdb_program=@PROGRAM@
_pdb_owner=''       # the process that the batch answers: forks of it must not ask it
_pdb_environment='' # what the batch was started with
_pdb_limit=0        # bytes of a request that never has to wait for a reader
_pdb_short=0        # characters of an argument with which it has no more
_pdb_requests='' _pdb_answers='' # the names of the pipes
_pdb_in='' _pdb_out=''           # their descriptors: one to write to, one to read from
_pdb_pending=''     # not empty while there is a request whose answer has not been taken
_pdb_answer=''
_pdb_failures=0     # to start a batch, in a row
_pdb_unclosed=0     # pairs of descriptors that could not be closed

pdb() {
    # The names lead to the pipes that the descriptors are, unless the batch is
    # gone or the script has closed one, and perhaps opened something else there.
    # With nocasematch, A is a, and users may be taken for the same that are not.
    # shellcheck disable=SC2050
    if [[ $# -eq 2 && ${#1} -lt 32 && ${#2} -lt $_pdb_short && -z $_pdb_pending && ${BASHPID-} == "$_pdb_owner" &&
        /dev/fd/$_pdb_in -ef $_pdb_requests && /dev/fd/$_pdb_out -ef $_pdb_answers &&
        A != a && "@ENVIRONMENT@" == "$_pdb_environment" ]]; then
        _pdb_pending=1 _pdb_answer=''
        if \builtin printf '%q %q\n' "$@" >&"$_pdb_in" &&
            \builtin read -r -N 64 -u "$_pdb_out" _pdb_answer &&
            [[ $_pdb_answer == 0\ v* && ${_pdb_answer:4:10} -le 48 && $_pdb_answer != *\\* ]]; then
            REPLY=${_pdb_answer:15:${_pdb_answer:4:10}} _pdb_pending=''
        else
            _pdb_take "$@" || \builtin return "$?"
        fi
    else
        _pdb_ask "$@" || \builtin return "$?"
    fi
}

# _pdb_ask COMMAND… asks the batch beside this process, or one of its own.
_pdb_ask() {
    \builtin local _pdb_line=''
    if [[ $# -gt 0 ]]; then
        \builtin printf -v _pdb_line '%q ' "$@"
    fi
    if [[ $# -eq 0 ]] || _pdb_is_nested || ! _pdb_start || [[ $((${#_pdb_line} * 4)) -gt $_pdb_limit ]]; then
        _pdb_once '' "$@" || \builtin return "$?"
        \builtin return 0
    fi
    _pdb_pending=1 _pdb_answer=''
    \builtin printf '%s\n' "$_pdb_line" >&"$_pdb_in" || :
    _pdb_take "$@" || \builtin return "$?"
}

# _pdb_is_nested says whether a trap has called pdb while it is at work. If not, a
# request that is pending is one that a trap has ended.
_pdb_is_nested() {
    \builtin local _pdb_name _pdb_count=0
    if [[ -n $_pdb_pending ]]; then
        for _pdb_name in "${FUNCNAME[@]}"; do
            if [[ $_pdb_name == pdb ]]; then _pdb_count=$((_pdb_count + 1)); fi
        done
    fi
    [[ $_pdb_count -gt 1 ]]
}

# _pdb_start starts a batch for this process, if it has none that will do.
_pdb_start() {
    \builtin local _pdb_names='' _pdb_now="@ENVIRONMENT@"
    if [[ ${BASHPID-} != "$_pdb_owner" ]]; then
        _pdb_failures=0
    elif [[ /dev/fd/$_pdb_in -ef $_pdb_requests && /dev/fd/$_pdb_out -ef $_pdb_answers ]]; then
        if [[ -z $_pdb_pending ]] && \builtin [ "$_pdb_now" = "$_pdb_environment" ]; then
            \builtin return 0
        fi
        \command exec {_pdb_in}>&- {_pdb_out}<&- # which ends the batch
    elif [[ -n $_pdb_in ]]; then # nobody knows what they are now
        _pdb_unclosed=$((_pdb_unclosed + 1))
    fi
    _pdb_in='' _pdb_out=''
    if [[ $_pdb_failures -ge 3 || $_pdb_unclosed -ge 100 || ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} -lt 41 ]]; then
        \builtin return 1
    fi
    _pdb_owner=$BASHPID
    _pdb_environment=$_pdb_now
    _pdb_failures=$((_pdb_failures + 1))
    _pdb_pending=1
    # In the background of a shell that ends at once, so that it is no job of the
    # script: wait does not wait for it, and $! stays.
    _pdb_names=$("$_pdb_program" batch --each --shell --beside "$_pdb_owner" </dev/null 2>/dev/null &) || :
    _pdb_limit=${_pdb_names%%$'\n'*} _pdb_names=${_pdb_names#*$'\n'}
    _pdb_requests=${_pdb_names%%$'\n'*} _pdb_answers=${_pdb_names#*$'\n'}
    # Open to read, too, the pipe has a reader whatever becomes of the batch, and
    # no signal ends the script.
    if [[ -z $_pdb_names ]] || ! \builtin true 2>/dev/null {_pdb_in}<>"$_pdb_requests" {_pdb_out}<"$_pdb_answers"; then
        _pdb_pending=''
        \builtin return 1
    fi
    if [[ $_pdb_requests != /proc/* ]]; then # they lose their names with the first request
        _pdb_requests=/dev/fd/$_pdb_in _pdb_answers=/dev/fd/$_pdb_out
    fi
    # A character has 4 bytes at the most, each of which is quoted as \377.
    _pdb_short=$((_pdb_limit / 16 - 64))
    _pdb_failures=0 _pdb_pending=''
}

# _pdb_take COMMAND… reads the answer, or what is left of it, and does what it says.
# In POSIX mode a trap ends a read.
_pdb_take() {
    \builtin local _pdb_part _pdb_status _pdb_left=64
    while [[ $_pdb_left -gt 0 ]]; do
        _pdb_left=$((64 - ${#_pdb_answer}))
        if [[ $_pdb_left -le 0 ]]; then _pdb_left=$((_pdb_left + ${_pdb_answer:4:10} - 48)); fi
        if [[ $_pdb_left -gt 0 ]]; then
            _pdb_part='' _pdb_status=0
            \builtin read -r -N "$_pdb_left" -u "$_pdb_out" _pdb_part || _pdb_status=$?
            _pdb_answer+=$_pdb_part
            if [[ $_pdb_status -gt 0 && $_pdb_status -le 128 ]]; then
                _pdb_lost "$@" || \builtin return "$?"
                \builtin return 0
            fi
        fi
    done
    _pdb_part=$_pdb_answer _pdb_pending=''
    _pdb_do "$_pdb_part" "$@" || \builtin return "$?"
}

# _pdb_lost COMMAND…: the batch was killed. What is left in the pipe it never read.
_pdb_lost() {
    \builtin local _pdb_option=--lost
    if \builtin read -r -t 0 -u "$_pdb_in"; then _pdb_option=''; fi
    \command exec {_pdb_in}>&- {_pdb_out}<&-
    _pdb_in='' _pdb_out='' _pdb_pending=''
    _pdb_once "$_pdb_option" "$@" || \builtin return "$?"
}

# _pdb_once OPTION COMMAND… asks a batch of its own. If there is no answer, a process
# says why.
_pdb_once() {
    \builtin local _pdb_option="$1" _pdb_line='' _pdb_text=''
    \builtin shift
    if [[ $# -gt 0 ]]; then
        \builtin printf -v _pdb_line '%q ' "$@"
        _pdb_text=$(\builtin printf '%s\n' "$_pdb_line" | "$_pdb_program" batch --each --shell ${_pdb_option:+"$_pdb_option"} 2>/dev/null) || :
    fi
    _pdb_do "${_pdb_text:-1 r}" "$@" || \builtin return "$?"
}

# _pdb_do ANSWER COMMAND… does what an answer says, and returns its status.
_pdb_do() {
    \builtin local _pdb_kind="${1:2:1}" _pdb_status="${1:0:1}" _pdb_text="${1:15:${1:4:10}}" _pdb_reply
    \builtin shift
    REPLY=''
    case $_pdb_kind in
    r)
        "$_pdb_program" "$@" || \builtin return "$?"
        \builtin return 0 ;;
    o)
        _pdb_once '' "$@" || \builtin return "$?"
        \builtin return 0 ;;
    esac
    \builtin printf -v REPLY %b "$_pdb_text" # which stops at \c
    if [[ $_pdb_text == *'\c'* ]]; then
        \builtin printf %b "${_pdb_text#*'\c'}" >&2 || :
        _pdb_text=${_pdb_text%%'\c'*}
    fi
    if [[ $_pdb_kind == v || -z $_pdb_text ]]; then
        \builtin return "$_pdb_status"
    fi
    REPLY=${REPLY%$'\n'}
    if [[ -p /dev/fd/1 ]]; then # that nobody reads it is no error, and must not end the script
        (\builtin printf %b "$_pdb_text") 2>/dev/null || :
    elif [[ $_pdb_kind == p && -t 1 ]]; then # where it looks otherwise
        _pdb_reply=$REPLY
        "$_pdb_program" "$@" || _pdb_status=$?
        REPLY=$_pdb_reply
    elif ! \builtin printf %b "$_pdb_text" 2>/dev/null; then
        if [[ $_pdb_kind == p ]]; then
            "$_pdb_program" "$@" || \builtin return "$?"
        else # REPLY has it, for it was done
            _pdb_reply=$REPLY
            _pdb_once --lost "$@" || _pdb_status=$?
            REPLY=$_pdb_reply
        fi
    fi
    \builtin return "$_pdb_status"
}
