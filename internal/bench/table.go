//go:build unix

package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// none is the bar of a row that has none.
var none = math.Inf(1)

// row adds a line to the table for two that were timed.
func (b *bench) row(work string, ours result, peer string, theirs result, bar float64) {
	ratio := float64(ours.median()) / float64(theirs.median())
	b.add(work, show(ours.median()), peer+" "+show(theirs.median()), ratio, bar)
}

// alone adds a line for one that has no peer here.
func (b *bench) alone(work string, ours result) {
	b.line([6]string{work, show(ours.median()), "–", "", "", ""})
}

// add adds a line. bar is the largest ratio that meets it.
func (b *bench) add(work, ours, peer string, ratio, bar float64) {
	want, met := "", ""
	if bar != none {
		want, met = fmt.Sprintf("≤ %.2f", bar), "yes"
		if ratio > bar {
			met = "NO"
		}
	}
	b.line([6]string{work, ours, peer, fmt.Sprintf("%.2f", ratio), want, met})
}

func (b *bench) line(r [6]string) {
	b.rows = append(b.rows, r)
	fmt.Printf("  %s\n", strings.Join(r[:], " | "))
}

func show(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

func (b *bench) print() {
	fmt.Println("\n| work | prontodb | peer | ratio | bar | met |\n| --- | --- | --- | --- | --- | --- |")
	for _, r := range b.rows {
		fmt.Printf("| %s |\n", strings.Join(r[:], " | "))
	}
}

func (b *bench) describe() {
	version, _ := exec.Command(b.bin, "version").Output()
	fmt.Printf("%s, %s/%s, %d × %s, %s", time.Now().Format("2006-01-02"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), version)
	if b.sqlite3 != "" {
		out, _ := exec.Command(b.sqlite3, "--version").Output()
		v, _, _ := strings.Cut(string(out), " ")
		fmt.Println("sqlite3", v)
	}
	if b.redis != "" {
		out, _ := exec.Command(b.redis, "--version").Output()
		fmt.Print(string(out))
	}
}

func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if _, v, ok := strings.Cut(s.Text(), "model name\t: "); ok {
			return v
		}
	}
	return "unknown processor"
}
