package format

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"time"
	"unicode/utf8"

	"prontodb/pronto"
)

// JSONParser reads the lines of a jsonl file (SPEC 9): entries as
// [AppendEntry] writes them, and caches as {"project":…,"namespace":…,
// "default_ttl":SECONDS}. It takes JSON as RFC 8259 has it, and refuses what
// could be taken in two ways: an unknown member, one that occurs twice, text
// that is not UTF-8, half of a surrogate pair. What it reads it may write over.
type JSONParser struct {
	Notation pronto.Notation // of addresses, and the defaults of parts that are missing
	MaxValue int64           // bytes; 0 is no limit

	line    []byte
	at      int
	text    []byte // strings that held escapes, and decoded values
	seen    uint16 // members of this line
	address []byte
	parts   [4][]byte // project, namespace, key, context
	value   []byte
	numbers [2][]byte // revision, default_ttl
	times   [3]int64

	lastTime   [24]byte // a time read lately, and what it is
	lastMillis int64
}

// JSONItem is a line of a jsonl file: an entry, or a cache with its default
// expiry in milliseconds. Its bytes are the parser's and the line's.
type JSONItem struct {
	pronto.Entry
	TTL int64 // not 0: Project and Namespace are those of a cache
}

// The members of a line, as bits of seen.
const (
	memberAddress = iota
	memberProject
	memberNamespace
	memberKey
	memberContext
	memberValue
	memberBase64
	memberRevision
	memberTTL
	memberCreated
	memberUpdated
	memberExpires
)

func memberOf(name []byte) int {
	switch string(name) {
	case "address":
		return memberAddress
	case "project":
		return memberProject
	case "namespace":
		return memberNamespace
	case "key":
		return memberKey
	case "context":
		return memberContext
	case "value":
		return memberValue
	case "value_base64":
		return memberBase64
	case "revision":
		return memberRevision
	case "default_ttl":
		return memberTTL
	case "created_at":
		return memberCreated
	case "updated_at":
		return memberUpdated
	case "expires_at":
		return memberExpires
	}
	return -1
}

func (p *JSONParser) has(member int) bool { return p.seen&(1<<member) != 0 }

// Parse reads one line. A member that is null counts as not there.
func (p *JSONParser) Parse(line []byte) (JSONItem, error) {
	if cap(p.text) > 1<<20 {
		p.text = nil
	}
	p.line, p.at, p.text, p.seen = line, 0, p.text[:0], 0
	if err := p.object(); err != nil {
		return JSONItem{}, err
	}
	return p.item()
}

func (p *JSONParser) syntax(format string, args ...any) error {
	return fmt.Errorf("not JSON: %s at byte %d", fmt.Sprintf(format, args...), p.at+1)
}

// unexpected is the error at a byte other than the one wanted.
func (p *JSONParser) unexpected(want string) error {
	if p.at >= len(p.line) {
		return p.syntax("it ends where %s is wanted", want)
	}
	r, _ := utf8.DecodeRune(p.line[p.at:])
	return p.syntax("%q where %s is wanted", r, want)
}

func (p *JSONParser) space() {
	for p.at < len(p.line) {
		switch p.line[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// next skips space and takes c, if it comes next.
func (p *JSONParser) next(c byte) bool {
	if p.at < len(p.line) && p.line[p.at] == c {
		p.at++
		return true
	}
	p.space()
	if p.at < len(p.line) && p.line[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *JSONParser) object() error {
	if !utf8.Valid(p.line) {
		return errors.New("not JSON: it is not valid UTF-8")
	}
	if !p.next('{') {
		return p.unexpected("{")
	}
	for more := !p.next('}'); more; {
		if !p.next('"') {
			return p.unexpected("the name of a member")
		}
		name, err := p.string()
		if err != nil {
			return err
		}
		if !p.next(':') {
			return p.unexpected("a colon")
		}
		p.space()
		if err := p.member(name); err != nil {
			return err
		}
		if p.next(',') {
			continue
		}
		if !p.next('}') {
			return p.unexpected("a comma or }")
		}
		more = false
	}
	if p.space(); p.at < len(p.line) {
		return p.unexpected("the end of the line")
	}
	return nil
}

// member reads the value of a member.
func (p *JSONParser) member(name []byte) error {
	m := memberOf(name)
	if m < 0 {
		return fmt.Errorf("unknown member %q", clip(name))
	}
	if p.has(m) {
		return fmt.Errorf("member %q stands twice", name)
	}
	if bytes.HasPrefix(p.line[p.at:], []byte("null")) {
		p.at += 4
		return nil
	}
	p.seen |= 1 << m
	if m == memberRevision || m == memberTTL {
		n := p.number()
		if n == nil {
			return fmt.Errorf("%s is not a number", name)
		}
		p.numbers[m-memberRevision] = n
		return nil
	}
	if p.at >= len(p.line) || p.line[p.at] != '"' {
		if p.at < len(p.line) && bytes.IndexByte([]byte("{[tf-0123456789"), p.line[p.at]) >= 0 {
			return fmt.Errorf("%s is not a string", name)
		}
		return p.unexpected("a value")
	}
	p.at++
	s, err := p.string()
	if err != nil {
		return err
	}
	switch m {
	case memberAddress:
		p.address = s
	case memberProject, memberNamespace, memberKey, memberContext:
		p.parts[m-memberProject] = s
	case memberValue:
		p.value = s
	case memberBase64:
		return p.decode(s)
	default:
		ms, ok := p.time(s)
		if !ok {
			return fmt.Errorf("%s %q is not a time as RFC 3339 has it", name, clip(s))
		}
		p.times[m-memberCreated] = ms
	}
	return nil
}

func clip(b []byte) []byte {
	if len(b) > 64 {
		return append(b[:61:61], "..."...)
	}
	return b
}

// decode reads a value in base64.
func (p *JSONParser) decode(s []byte) error {
	var err error
	from := len(p.text)
	switch {
	case bytes.ContainsAny(s, "\r\n"): // which the decoder would skip
		err = errBase64
	case len(s) >= inPlace:
		p.value, err = decodeInPlace(s)
	default:
		p.text, err = base64.StdEncoding.Strict().AppendDecode(p.text, s)
		p.value = p.text[from:]
	}
	if err != nil {
		return errBase64
	}
	return nil
}

var errBase64 = errors.New("value_base64 is not base64 (RFC 4648, section 4)")

// inPlace is from how many bytes on a string is decoded where it stands, so that
// it is in memory once.
var inPlace = 1 << 20 // tests set it to 0

// decodeInPlace decodes base64 into the memory it is in, a piece at a time: the
// decoder may write somewhat ahead of where it is.
func decodeInPlace(s []byte) ([]byte, error) {
	const piece = 4 << 10 // a multiple of 4
	var buf [piece]byte
	out := s[:0]
	for len(s) > 0 {
		n := min(len(s), piece)
		decoded, err := base64.StdEncoding.Strict().Decode(buf[:], s[:n])
		if err != nil || n < len(s) && decoded != n/4*3 { // padding before the end
			return nil, errBase64
		}
		s = s[n:]
		out = append(out, buf[:decoded]...)
	}
	return out, nil
}

// number takes the bytes of a number, nil if there is none.
func (p *JSONParser) number() []byte {
	from := p.at
	for p.at < len(p.line) && bytes.IndexByte([]byte("+-.0123456789eE"), p.line[p.at]) >= 0 {
		p.at++
	}
	n := p.line[from:p.at]
	// RFC 8259, section 6: no sign but a minus, no zero in front.
	d := bytes.TrimPrefix(n, []byte("-"))
	if len(d) == 0 || d[0] < '0' || d[0] > '9' || d[0] == '0' && len(d) > 1 && d[1] >= '0' && d[1] <= '9' {
		return nil
	}
	if _, err := strconv.ParseFloat(textOf(n), 64); err != nil && !errors.Is(err, strconv.ErrRange) || n[len(n)-1] == '.' || bytes.Contains(n, []byte(".e")) || bytes.Contains(n, []byte(".E")) {
		return nil
	}
	return n
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special is the index of the first byte of b that a JSON string does not hold
// as it is: '"', '\' or a control character; len(b) if there is none.
func special(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, back := w^('"'*ones), w^('\\'*ones)
		// The lowest bit that is set marks the first such byte.
		found := ((quote-ones)&^quote | (back-ones)&^back | (w-' '*ones)&^w) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// string reads a string after its opening quote.
func (p *JSONParser) string() ([]byte, error) {
	from := p.at
	p.at += special(p.line[from:])
	if p.at < len(p.line) && p.line[p.at] == '"' {
		p.at++
		return p.line[from : p.at-1], nil
	}
	if len(p.line)-from >= inPlace {
		defer func(text []byte) { p.text = text }(p.text)
		p.text = p.line[from:from] // what it means is never longer than what is written
	}
	start := len(p.text)
	for {
		p.text = append(p.text, p.line[from:p.at]...)
		switch {
		case p.at >= len(p.line):
			return nil, p.syntax("a string does not end")
		case p.line[p.at] == '"':
			p.at++
			return p.text[start:], nil
		case p.line[p.at] != '\\':
			return nil, p.syntax("a control character in a string")
		}
		if err := p.escape(); err != nil {
			return nil, err
		}
		from = p.at
		p.at += special(p.line[from:])
	}
}

// escape reads what a backslash begins.
func (p *JSONParser) escape() error {
	const plain = `"\/bfnrt`
	const meant = "\"\\/\b\f\n\r\t"
	rest := p.line[p.at+1:]
	if len(rest) == 0 {
		return p.syntax("a string does not end")
	}
	if i := bytes.IndexByte([]byte(plain), rest[0]); i >= 0 {
		p.text = append(p.text, meant[i])
		p.at += 2
		return nil
	}
	r, ok := hex4(rest)
	if !ok {
		return p.syntax("an unknown escape in a string")
	}
	size := 6
	if r >= 0xd800 && r < 0xe000 {
		low, ok := rune(0), false
		if len(rest) >= 7 && rest[5] == '\\' {
			low, ok = hex4(rest[6:])
		}
		if !ok || r >= 0xdc00 || low < 0xdc00 || low >= 0xe000 {
			return p.syntax("half of a surrogate pair")
		}
		r = (r-0xd800)<<10 + (low - 0xdc00) + 0x10000
		size = 12
	}
	p.text = utf8.AppendRune(p.text, r)
	p.at += size
	return nil
}

// hex4 reads u and four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	if len(b) < 5 || b[0] != 'u' {
		return 0, false
	}
	r := rune(0)
	for _, c := range b[1:5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// time reads a time as RFC 3339 has it, in milliseconds.
func (p *JSONParser) time(s []byte) (int64, bool) {
	if len(s) != len(p.lastTime) {
		t, err := time.Parse(time.RFC3339, textOf(s))
		return t.UnixMilli(), err == nil && pronto.IsTime(t.UnixMilli())
	}
	if [24]byte(s) == p.lastTime {
		return p.lastMillis, true
	}
	t, err := time.Parse(time.RFC3339, textOf(s))
	if err != nil || !pronto.IsTime(t.UnixMilli()) {
		return 0, false
	}
	p.lastTime, p.lastMillis = [24]byte(s), t.UnixMilli()
	return p.lastMillis, true
}

// item makes of the members what they say.
func (p *JSONParser) item() (JSONItem, error) {
	var it JSONItem
	if p.has(memberTTL) {
		return p.cache()
	}
	if p.has(memberRevision) {
		n, err := strconv.ParseInt(textOf(p.numbers[0]), 10, 64)
		if err != nil || n < 1 || n > pronto.MaxRevision {
			return it, fmt.Errorf("revision %s is not a whole number from 1 to %d", clip(p.numbers[0]), int64(pronto.MaxRevision))
		}
		it.Revision = n
	}
	for i, ms := range [...]*int64{&it.CreatedAt, &it.UpdatedAt, &it.ExpiresAt} {
		if p.has(memberCreated + i) {
			*ms = p.times[i]
		}
	}
	if p.has(memberExpires) && it.ExpiresAt == 0 {
		it.ExpiresAt = 1 // 1970: long expired; 0 is never
	}
	switch {
	case p.has(memberValue) && p.has(memberBase64):
		return it, errors.New("it has both value and value_base64")
	case !p.has(memberValue) && !p.has(memberBase64):
		return it, errors.New("it has neither value nor value_base64")
	}
	it.Value = p.value
	if p.MaxValue > 0 && int64(len(it.Value)) > p.MaxValue {
		return it, &pronto.ValueSizeError{Max: p.MaxValue}
	}
	a, err := p.where()
	it.Address = a
	return it, err
}

// cache is a line that says what the default expiry of a cache is.
func (p *JSONParser) cache() (JSONItem, error) {
	for m, name := range [...]string{
		memberAddress: "address", memberKey: "key", memberContext: "context", memberValue: "value",
		memberBase64: "value_base64", memberRevision: "revision", memberExpires: "expires_at",
	} {
		if name != "" && p.has(m) {
			return JSONItem{}, fmt.Errorf("default_ttl is of a cache, %s of an entry", name)
		}
	}
	secs, err := strconv.ParseFloat(textOf(p.numbers[1]), 64)
	if err != nil || secs <= 0 || secs > pronto.MaxTTL.Seconds() {
		return JSONItem{}, fmt.Errorf("default_ttl %s: %w", clip(p.numbers[1]), pronto.ErrTTL)
	}
	it := JSONItem{TTL: max(1, int64(secs*1000+0.5))}
	it.Project, it.Namespace = cmp.Or(p.Notation.Project, pronto.DefaultPart), cmp.Or(p.Notation.Namespace, pronto.DefaultPart)
	if p.has(memberProject) {
		it.Project = textOf(p.parts[0])
	}
	if p.has(memberNamespace) {
		it.Namespace = textOf(p.parts[1])
	}
	return it, nil
}

// where is the address of the entry. Parts given as members are taken as they are;
// those that are missing are read from the address, or else are what the
// notation has for them. An address of three parts is read as a whole. Whatever
// is said twice must agree.
func (p *JSONParser) where() (pronto.Address, error) {
	var a pronto.Address
	for i, s := range [...]*string{&a.Project, &a.Namespace, &a.Key, &a.Context} {
		if p.has(memberProject + i) {
			*s = textOf(p.parts[i])
			if *s == "" && i < 3 {
				return a, pronto.CheckPart([...]string{"project", "namespace", "key"}[i], "")
			}
		}
	}
	n := p.Notation
	switch {
	case !p.has(memberAddress) && !p.has(memberKey):
		return a, errors.New("it has neither address nor key")
	case !p.has(memberAddress) && p.has(memberContext):
		a.Project, a.Namespace = cmp.Or(a.Project, n.Project, pronto.DefaultPart), cmp.Or(a.Namespace, n.Namespace, pronto.DefaultPart)
		return a, nil
	case p.has(memberProject) && p.has(memberNamespace) && p.has(memberKey):
		if !p.has(memberContext) {
			b, err := pronto.Notation{Project: a.Project, Namespace: a.Namespace, NamespaceGiven: true, Context: n.Context, Delim: n.Delim}.ParseKey(a.Key)
			if err != nil {
				return a, err
			}
			a = b
		}
		if p.has(memberAddress) && !agrees(p.address, a) {
			return a, fmt.Errorf("address %q and the parts given apart differ", clip(p.address))
		}
		return a, nil
	}
	return p.below(a)
}

// below is the address of an entry of which some parts are given as members.
func (p *JSONParser) below(a pronto.Address) (pronto.Address, error) {
	n := p.Notation
	if p.has(memberContext) {
		n.Context = ""
	}
	whole := p.has(memberAddress) && bytes.Count(p.address, []byte(cmp.Or(n.Delim, pronto.DefaultDelim))) >= 2
	if p.has(memberProject) && !whole {
		n.Project, n.ProjectGiven = a.Project, true
	}
	if p.has(memberNamespace) && !whole {
		n.Namespace, n.NamespaceGiven = a.Namespace, true
	}
	if !p.has(memberAddress) {
		return n.ParseKey(a.Key)
	}
	b, err := n.Parse(textOf(p.address))
	if err != nil {
		return b, err
	}
	if p.has(memberContext) && b.Context == "" {
		b.Context = a.Context
	}
	for i, part := range [...][2]string{{a.Project, b.Project}, {a.Namespace, b.Namespace}, {a.Key, b.Key}, {a.Context, b.Context}} {
		if p.has(memberProject+i) && part[0] != part[1] {
			return b, fmt.Errorf("address %q and the parts given apart differ", clip(p.address))
		}
	}
	return b, nil
}

// agrees reports whether text is a written with some delimiter.
func agrees(text []byte, a pronto.Address) bool {
	rest, ok := cutPrefix(text, a.Project)
	if !ok {
		return false
	}
	tail := len(a.Key)
	if a.Context != "" {
		tail += len(pronto.ContextMark) + len(a.Context)
	}
	n := len(rest) - len(a.Namespace) - tail
	if n < 2 || n%2 != 0 {
		return false
	}
	d := rest[:n/2]
	rest, ok = cutPrefix(rest[n/2:], a.Namespace)
	if !ok || !bytes.HasPrefix(rest, d) {
		return false
	}
	rest, ok = cutPrefix(rest[len(d):], a.Key)
	if !ok {
		return false
	}
	if a.Context == "" {
		return len(rest) == 0
	}
	rest, ok = cutPrefix(rest, pronto.ContextMark)
	return ok && string(rest) == a.Context
}

func cutPrefix(b []byte, prefix string) ([]byte, bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return b, false
	}
	return b[len(prefix):], true
}
