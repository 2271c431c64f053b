//go:build unix

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// planter finds the places in a file where something can be changed, and writes
// the file with all changes in it, asleep. A change is text before and after a
// node, or in the place of an operator: no node is written twice, so that changes
// may lie within each other, and each line stays the line it was.
type planter struct {
	fset  *token.FileSet
	info  *types.Info
	path  string
	rel   string
	text  []byte
	sites []*site

	bounds map[ast.Expr]bool // constants that something is compared with
}

// site is a place and the mutant in it. A %d in its texts is the mutant's number.
type site struct {
	mutant        *mutant
	from, to      int // offsets of the node
	level         int // of nodes that are the same text the outer one has the higher level
	before, after string
	opFrom, opTo  int // offsets of the operator that is replaced by a comma, or 0
	dropped       bool
}

// Levels.
const (
	exprLevel = iota
	negationLevel
	operandLevel
	resultLevel
	stmtLevel
)

func (p *planter) add(n ast.Node, level int, before, after, what string, args ...any) *site {
	from, to := p.fset.Position(n.Pos()), p.fset.Position(n.End())
	s := &site{
		mutant: &mutant{file: p.rel, line: from.Line, col: from.Column, lastLine: to.Line, what: fmt.Sprintf(what, args...)},
		from:   from.Offset, to: to.Offset, level: level, before: before, after: after,
	}
	p.sites = append(p.sites, s)
	return s
}

// source is a node in short.
func (p *planter) source(n ast.Node) string {
	s := strings.Join(strings.Fields(string(p.text[p.fset.Position(n.Pos()).Offset:p.fset.Position(n.End()).Offset])), " ")
	if r := []rune(s); len(r) > 60 {
		s = string(r[:59]) + "…"
	}
	return s
}

// find finds the sites of a file.
func (p *planter) find(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				p.walk(d.Body, d.Type)
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				for _, s := range d.Specs {
					for _, v := range s.(*ast.ValueSpec).Values {
						p.walk(v, nil)
					}
				}
			}
		}
	}
}

// walk goes through a node within a function of type fn.
func (p *planter) walk(n ast.Node, fn *ast.FuncType) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			p.walk(n.Body, n.Type)
			return false
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.ArrayType:
			return false
		case *ast.BlockStmt:
			p.statements(n.List)
		case *ast.CaseClause:
			p.statements(n.Body)
			if p.isBool(n.List...) { // the conditions of a switch without a tag
				for _, e := range n.List {
					p.condition(e)
				}
			}
		case *ast.CommClause:
			p.statements(n.Body)
		case *ast.IfStmt:
			p.condition(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				p.condition(n.Cond)
			}
		case *ast.ReturnStmt:
			p.result(n, fn)
		case *ast.CompositeLit:
			// A key may have to be a constant, and a field is none at all.
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					e = kv.Value
				}
				p.walk(e, fn)
			}
			return false
		case ast.Expr:
			return p.expression(n)
		}
		return true
	})
}

// statements are removed, one at a time.
func (p *planter) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" {
					continue // without it, a function may not end in a return
				}
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
			if id, ok := s.Lhs[0].(*ast.Ident); ok && id.Name == "_" && len(s.Lhs) == 1 {
				if _, ok := s.Rhs[0].(*ast.CallExpr); !ok {
					continue // which tells the compiler something, and does nothing
				}
			}
		case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		case *ast.BranchStmt:
			if s.Tok == token.FALLTHROUGH || s.Tok == token.GOTO {
				continue
			}
		case *ast.ReturnStmt:
			if len(s.Results) > 0 {
				continue
			}
		default:
			continue
		}
		p.add(s, stmtLevel, "if !mutateOn(%d) { ", " }", "without %s", p.source(s))
	}
}

// result has an error that is returned become nil.
func (p *planter) result(r *ast.ReturnStmt, fn *ast.FuncType) {
	if fn == nil || fn.Results == nil || len(r.Results) != fn.Results.NumFields() {
		return
	}
	last := r.Results[len(r.Results)-1]
	t := p.info.Types[fn.Results.List[len(fn.Results.List)-1].Type].Type
	if t == nil || !types.Identical(t, types.Universe.Lookup("error").Type()) || p.info.Types[last].IsNil() {
		return
	}
	p.add(last, resultLevel, "mutateNil(%d, ", ")", "returns nil, not %s", p.source(last))
}

// condition is negated, unless it is put together from others, which are.
func (p *planter) condition(e ast.Expr) {
	if tv := p.info.Types[e]; tv.Value != nil {
		return
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return
	case *ast.ParenExpr:
		p.condition(e.X)
		return
	}
	p.add(e, negationLevel, "(", " != mutateOn(%d))", "not %s", p.source(e))
}

// expression changes an expression and says whether to go into it.
func (p *planter) expression(e ast.Expr) bool {
	tv, ok := p.info.Types[e]
	if !ok || tv.IsType() || tv.IsNil() {
		return !tv.IsType()
	}
	if tv.Value != nil {
		if !p.bounds[e] {
			p.constant(e, tv)
		}
		return false
	}
	if b, ok := e.(*ast.BinaryExpr); ok {
		p.binary(b)
	}
	return true
}

func (p *planter) constant(e ast.Expr, tv types.TypeAndValue) {
	t, ok := tv.Type.(*types.Basic)
	if !ok || t.Info()&types.IsUntyped != 0 {
		return
	}
	switch {
	case t.Kind() == types.Bool:
		p.add(e, exprLevel, "(", " != mutateOn(%d))", "not %s", p.source(e))
	case t.Info()&types.IsInteger != 0 && hasLiteral(e) && !isLargest(tv.Value, t):
		p.add(e, exprLevel, "mutateLit(%d, "+t.Name()+"(", "))", "%s + 1", p.source(e))
	}
}

func hasLiteral(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		_, ok := n.(*ast.BasicLit)
		found = found || ok
		return true
	})
	return found
}

// isLargest reports whether one more is not of the type any more.
func isLargest(v constant.Value, t *types.Basic) bool {
	n, ok := constant.Uint64Val(v)
	if !ok {
		return false
	}
	switch t.Kind() {
	case types.Int8:
		return n == 1<<7-1
	case types.Uint8:
		return n == 1<<8-1
	case types.Int16:
		return n == 1<<15-1
	case types.Uint16:
		return n == 1<<16-1
	case types.Int32:
		return n == 1<<31-1
	case types.Uint32:
		return n == 1<<32-1
	}
	return n >= 1<<63-1
}

// arithmetic are the operators with the functions that stand for them, and what
// becomes of them.
var arithmetic = map[token.Token][2]string{
	token.ADD: {"mutateAdd", "-"},
	token.SUB: {"mutateSub", "+"},
	token.MUL: {"mutateMul", "/"},
	token.QUO: {"mutateDiv", "*"},
	token.REM: {"mutateMod", "*"},
	token.AND: {"mutateAnd", "|"},
	token.OR:  {"mutateOr", "&"},
}

func (p *planter) binary(b *ast.BinaryExpr) {
	op := p.fset.Position(b.OpPos).Offset
	call := func(name, what string) {
		s := p.add(b, exprLevel, name+"(%d, ", ")", "%s: %s becomes %s", p.source(b), b.Op, what)
		s.opFrom, s.opTo = op, op+len(b.Op.String())
	}
	switch b.Op {
	case token.LAND:
		for _, x := range []ast.Expr{b.X, b.Y} {
			p.add(x, operandLevel, "(", " || mutateOn(%d))", "%s: as if %s", p.source(b), p.source(x))
		}
	case token.LOR:
		for _, x := range []ast.Expr{b.X, b.Y} {
			p.add(x, operandLevel, "(", " && !mutateOn(%d))", "%s: as if not %s", p.source(b), p.source(x))
		}
	case token.LSS, token.GEQ:
		// a >= b is the opposite of a < b, and so are their neighbours.
		if b.Op == token.LSS {
			call("mutateLess", "<=")
		} else {
			call("!mutateLess", ">")
		}
		p.bound(b)
	case token.LEQ, token.GTR:
		if b.Op == token.LEQ {
			call("mutateLessEqual", "<")
		} else {
			call("!mutateLessEqual", ">=")
		}
		p.bound(b)
	case token.EQL, token.NEQ:
		p.negate(b)
	default:
		f, ok := arithmetic[b.Op]
		t, basic := p.info.Types[b].Type.Underlying().(*types.Basic)
		if ok && basic && t.Info()&types.IsNumeric != 0 && t.Info()&(types.IsComplex|types.IsUntyped) == 0 {
			call(f[0], f[1])
		}
	}
}

// bound negates a comparison whose bound is changed otherwise: one more would be
// the same again.
func (p *planter) bound(b *ast.BinaryExpr) {
	p.negate(b)
	for _, x := range []ast.Expr{b.X, b.Y} {
		if p.info.Types[x].Value != nil {
			p.bounds[x] = true
		}
	}
}

func (p *planter) negate(e ast.Expr) {
	p.add(e, negationLevel, "((", ") != mutateOn(%d))", "not %s", p.source(e))
}

func (p *planter) isBool(list ...ast.Expr) bool {
	for _, e := range list {
		t, ok := p.info.Types[e].Type.Underlying().(*types.Basic)
		if !ok || t.Info()&types.IsBoolean == 0 {
			return false
		}
	}
	return len(list) > 0
}

// render is the file with all the mutants in it.
func (p *planter) render() []byte {
	type insertion struct {
		at, until   int
		opens       bool
		size, level int
		text        string
	}
	var list []insertion
	for _, s := range p.sites {
		if s.dropped {
			continue
		}
		before, after := strings.ReplaceAll(s.before, "%d", fmt.Sprint(s.mutant.id)), strings.ReplaceAll(s.after, "%d", fmt.Sprint(s.mutant.id))
		size := s.to - s.from
		list = append(list, insertion{s.from, s.from, true, size, s.level, before}, insertion{s.to, s.to, false, size, s.level, after})
		if s.opFrom > 0 {
			list = append(list, insertion{s.opFrom, s.opTo, true, 0, 0, ","})
		}
	}
	// At one place, first what closes, from the inside out, then what opens.
	slices.SortStableFunc(list, func(a, b insertion) int {
		switch {
		case a.at != b.at:
			return a.at - b.at
		case a.opens != b.opens:
			if a.opens {
				return 1
			}
			return -1
		case a.size != b.size && a.opens, a.size == b.size && a.level != b.level && a.opens:
			if a.size != b.size {
				return b.size - a.size
			}
			return b.level - a.level
		case a.size != b.size:
			return a.size - b.size
		}
		return a.level - b.level
	})
	var out bytes.Buffer
	last := 0
	for _, i := range list {
		out.Write(p.text[last:i.at])
		out.WriteString(i.text)
		last = i.until
	}
	out.Write(p.text[last:])
	return out.Bytes()
}
