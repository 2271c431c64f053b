# pdb COMMAND…: what "prontodb COMMAND…" does, answered by one process beside this
# script (docs/init.md). It is made by "prontodb init zsh".
#
# It is read, and its functions run, with the options of "emulate zsh" and without
# aliases, whatever those of the script are.

_pdb_program=@PROGRAM@
_pdb_owner=''       # the process that the batch answers: forks of it must not ask it
_pdb_environment='' # what the batch was started with
_pdb_limit=0        # bytes of a request that never has to wait for a reader
_pdb_requests='' _pdb_answers='' # the names of the pipes
_pdb_in='' _pdb_out=''           # their descriptors: one to write to, one to read from
_pdb_pending=''     # not empty while there is a request whose answer has not been taken
_pdb_failures=0     # to start a batch, in a row
_pdb_unclosed=0     # pairs of descriptors that could not be closed
builtin zmodload zsh/system 2>/dev/null || builtin true

pdb() {
    builtin setopt local_options local_traps no_bg_nice
    builtin trap - ZERR # which else would be run here, and not where pdb fails
    builtin local _pdb_line='' _pdb_answer='' _pdb_part=''
    if [[ $# -gt 0 ]]; then
        builtin printf -v _pdb_line '%q ' "$@"
    fi
    # The names lead to the pipes that the descriptors are, unless the batch is
    # gone or the script has closed one, and perhaps opened something else there.
    if [[ -z $_pdb_pending && ${sysparams[pid]-} == "$_pdb_owner" &&
        /dev/fd/$_pdb_in -ef $_pdb_requests && /dev/fd/$_pdb_out -ef $_pdb_answers &&
        "@ENVIRONMENT@" == "$_pdb_environment" ]]; then
    elif [[ $# -eq 0 ]] || _pdb_is_nested || ! _pdb_start; then
        _pdb_once '' "$@"
        builtin return
    fi
    if [[ $# -eq 0 || $((${#_pdb_line} * 4)) -gt $_pdb_limit ]]; then
        _pdb_once '' "$@"
        builtin return
    fi
    _pdb_pending=1
    builtin syswrite -o "$_pdb_in" -- "$_pdb_line"$'\n'
    while builtin sysread -s 65536 -i "$_pdb_out" _pdb_part; do
        _pdb_answer+=$_pdb_part
        if [[ $_pdb_part == *$'\n' ]]; then
            _pdb_pending=''
            _pdb_do "$_pdb_answer" "$@"
            builtin return
        fi
    done
    # The batch was killed. What is left in the pipe it never read.
    if builtin sysread -t 0 -i "$_pdb_in" _pdb_part; then _pdb_part=''; else _pdb_part=--lost; fi
    builtin exec {_pdb_in}>&- {_pdb_out}<&-
    _pdb_in='' _pdb_out='' _pdb_pending=''
    _pdb_once "$_pdb_part" "$@"
}

# _pdb_is_nested says whether a trap has called pdb while it is at work. If not, a
# request that is pending is one that a trap has ended.
_pdb_is_nested() {
    builtin local -a _pdb_calls
    _pdb_calls=(${(M)funcstack:#pdb})
    [[ -n $_pdb_pending && ${#_pdb_calls} -gt 1 ]]
}

# _pdb_start starts a batch for this process.
_pdb_start() {
    builtin local _pdb_names=''
    if [[ ${sysparams[pid]-} != "$_pdb_owner" ]]; then
        _pdb_failures=0
    elif [[ /dev/fd/$_pdb_in -ef $_pdb_requests && /dev/fd/$_pdb_out -ef $_pdb_answers ]]; then
        builtin exec {_pdb_in}>&- {_pdb_out}<&- # which ends the batch
    elif [[ -n $_pdb_in ]]; then # nobody knows what they are now
        _pdb_unclosed=$((_pdb_unclosed + 1))
    fi
    _pdb_in='' _pdb_out=''
    if [[ $_pdb_failures -ge 3 || $_pdb_unclosed -ge 100 || -z ${sysparams[pid]-} ]]; then
        builtin return 1
    fi
    _pdb_owner=${sysparams[pid]}
    _pdb_environment="@ENVIRONMENT@"
    _pdb_failures=$((_pdb_failures + 1))
    _pdb_pending=1
    # In the background of a shell that ends at once, so that it is no job of the
    # script: wait does not wait for it, and $! stays.
    _pdb_names=$("$_pdb_program" batch --each --shell --beside "$_pdb_owner" </dev/null 2>/dev/null &)
    _pdb_limit=${_pdb_names%%$'\n'*} _pdb_names=${_pdb_names#*$'\n'}
    _pdb_requests=${_pdb_names%%$'\n'*} _pdb_answers=${_pdb_names#*$'\n'}
    # Open to read, too, the pipe has a reader whatever becomes of the batch, and
    # no signal ends the script.
    if [[ -z $_pdb_names ]] ||
        ! builtin sysopen -rw -o cloexec -u _pdb_in -- "$_pdb_requests" 2>/dev/null ||
        ! builtin sysopen -r -o cloexec -u _pdb_out -- "$_pdb_answers" 2>/dev/null; then
        _pdb_pending=''
        builtin return 1
    fi
    if [[ $_pdb_requests != /proc/* ]]; then # they lose their names with the first request
        _pdb_requests=/dev/fd/$_pdb_in _pdb_answers=/dev/fd/$_pdb_out
    fi
    _pdb_failures=0 _pdb_pending=''
}

# _pdb_once OPTION COMMAND… asks a batch of its own. If there is no answer, a process
# says why.
_pdb_once() {
    builtin local _pdb_option="$1" _pdb_line='' _pdb_answer=''
    builtin shift
    if [[ $# -gt 0 ]]; then
        builtin printf -v _pdb_line '%q ' "$@"
        _pdb_answer=$(builtin printf '%s\n' "$_pdb_line" | "$_pdb_program" batch --each --shell ${_pdb_option:+"$_pdb_option"} 2>/dev/null)
    fi
    _pdb_do "${_pdb_answer:-1 r}" "$@"
}

# _pdb_do ANSWER COMMAND… does what an answer says, and returns its status.
_pdb_do() {
    builtin local _pdb_kind="${1[3]}" _pdb_status="${1[1]}" _pdb_text='' _pdb_reply=''
    if [[ ${#1} -gt 15 ]]; then
        _pdb_text=${1[16,15 + ${1[5,14]}]}
    fi
    builtin shift
    REPLY=''
    case $_pdb_kind in
    (r)
        "$_pdb_program" "$@"
        builtin return ;;
    (o)
        _pdb_once '' "$@"
        builtin return ;;
    esac
    builtin printf -v REPLY %b "$_pdb_text" # which stops at \c
    if [[ $_pdb_text == *'\c'* ]]; then
        builtin printf %b "${_pdb_text#*'\c'}" >&2
        _pdb_text=${_pdb_text%%'\c'*}
    fi
    if [[ $_pdb_kind == v || -z $_pdb_text ]]; then
        builtin return "$_pdb_status"
    fi
    REPLY=${REPLY%$'\n'}
    if [[ -p /dev/fd/1 ]]; then # that nobody reads it is no error, and must not end the script
        (builtin printf %b "$_pdb_text") 2>/dev/null
    elif [[ $_pdb_kind == p && -t 1 ]]; then # where it looks otherwise
        _pdb_reply=$REPLY
        "$_pdb_program" "$@"
        _pdb_status=$?
        REPLY=$_pdb_reply
    elif [[ ! -e /dev/fd/1 ]] || ! builtin printf %b "$_pdb_text" 2>/dev/null; then
        if [[ $_pdb_kind == p ]]; then
            "$_pdb_program" "$@"
            _pdb_status=$?
        else # REPLY has it, for it was done
            _pdb_reply=$REPLY
            _pdb_once --lost "$@"
            _pdb_status=$?
            REPLY=$_pdb_reply
        fi
    fi
    builtin return "$_pdb_status"
}
