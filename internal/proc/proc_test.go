package proc

import (
	"slices"
	"testing"
)

func TestEnvironment(t *testing.T) {
	for _, tt := range []struct{ env, vars, want []string }{
		{nil, nil, nil},
		{[]string{"A=1", "B=2"}, nil, []string{"A=1", "B=2"}},
		{nil, []string{"A=1"}, []string{"A=1"}},
		{[]string{"A=1", "AB=2", "B=3", "A=4"}, []string{"A=x=y", "C="}, []string{"AB=2", "B=3", "A=x=y", "C="}},
		{[]string{"A=1", "B=2"}, []string{"A", "C"}, []string{"B=2"}},
	} {
		env := slices.Clone(tt.env)
		if got := Environment(env, tt.vars); !slices.Equal(got, tt.want) {
			t.Errorf("%q over %q is %q, want %q", tt.vars, tt.env, got, tt.want)
		}
		if !slices.Equal(env, tt.env) {
			t.Errorf("the environment that was given is %q now, it was %q", env, tt.env)
		}
	}
}

func TestExit(t *testing.T) {
	if got, want := (&Exit{7}).Error(), "exit status 7"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}
