//go:build unix

package main

import (
	"embed"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What the sqlite3 shell is asked, for the same work.
//
//go:embed sql
var sqlFiles embed.FS

// statement is one of the files in sql.
func statement(name string) string {
	text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}

// shell is a call of the sqlite3 shell with statements from sql.
func (b *bench) shell(db string, names ...string) command {
	if b.sqlite3 == "" {
		return command{}
	}
	args := []string{b.sqlite3, db}
	for _, name := range names {
		args = append(args, statement(name))
	}
	return command{args: args}
}

func (b *bench) redisCli(args ...string) command {
	if b.redis == "" {
		return command{}
	}
	return command{args: append([]string{b.redis, "-p", b.redisPort}, args...)}
}

// copyDB copies a database for the shell, with nothing left in its log. Without
// the shell there is nothing to do.
func (b *bench) copyDB(from, name string) (string, error) {
	to := filepath.Join(b.dir, name)
	if exists(to) || b.sqlite3 == "" {
		return to, nil
	}
	return to, b.mustRun(command{args: []string{b.sqlite3, from, ".backup " + to}})
}

func (b *bench) startRedis() (stop func(), err error) {
	stop = func() {}
	server, serr := exec.LookPath("redis-server")
	client, cerr := exec.LookPath("redis-cli")
	if serr != nil || cerr != nil {
		return stop, errors.New("redis-server and redis-cli are not installed: their figures are left out (apt-get install redis-server)")
	}
	if b.redisPort, err = freePort(); err != nil {
		return stop, err
	}
	dir := filepath.Join(b.dir, "redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return stop, err
	}
	// As durable as --sync full: each write is synced before it is answered.
	cmd := exec.Command(server, "--port", b.redisPort, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		return stop, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	for range 100 {
		if exec.Command(client, "-p", b.redisPort, "ping").Run() == nil {
			b.redis = client
			return stop, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return stop, errors.New("redis-server did not answer: its figures are left out")
}

// freePort returns a port that nobody listens at: another bench may be running.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
