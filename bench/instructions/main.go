// Command instructions counts the instructions that arm64 executes for each operation, under
// QEMU's user emulation: counts, not times, and the same on every machine but for the
// randomness of keys.
//
//	go run ./bench/instructions                       a table: neon beside neon-sha3
//	go run ./bench/instructions -op 'ML-DSA'          only the operations that match
//	go run ./bench/instructions -backend generic,neon other backends
//
// It needs a C compiler and a qemu-aarch64 that loads plugins (Debian 12's package qemu-user;
// the static one does not).
//
// The figure of an operation is a difference of two runs, by the number of times that one
// repeats it more: (count(n + few) − count(few)) / n. What starts the program and prepares the
// operation cancels. The collector is off and one processor is used, so that little else runs.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// few is how often the shorter run repeats an operation: what happens once only is in both.
const few = 10

func main() {
	log.SetFlags(0)
	pattern := flag.String("op", "", "count the operations whose names match this regular expression")
	backends := flag.String("backend", "neon,neon-sha3", "the backends")
	model := flag.String("cpu", "max", "QEMU's processor model, which must have what the backends need")
	flag.Parse()
	if err := count(*pattern, strings.Split(*backends, ","), *model); err != nil {
		log.Fatal(err)
	}
}

// count prints the table.
func count(pattern string, backends []string, model string) error {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "instructions")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	e := emulator{model: model, guest: filepath.Join(dir, "guest"), plugin: filepath.Join(dir, "count.so")}
	if err := e.build(); err != nil {
		return err
	}
	list, _, err := e.run(backends[0], "-list")
	if err != nil {
		return err
	}

	fmt.Printf("| instructions per operation | %s |\n|---|%s\n", strings.Join(backends, " | "), strings.Repeat("---:|", len(backends)))
	for _, row := range strings.Split(strings.TrimSpace(list), "\n") {
		times, name, _ := strings.Cut(row, " ")
		n, err := strconv.Atoi(times)
		if err != nil {
			return fmt.Errorf("list of operations: %w", err)
		}
		if !match.MatchString(name) {
			continue
		}
		fmt.Printf("| %s |", name)
		for _, backend := range backends {
			var counts [2]int
			for i, repeat := range []int{few, few + n} {
				if counts[i], err = e.least(backend, "-op", name, "-n", strconv.Itoa(repeat)); err != nil {
					return err
				}
			}
			fmt.Printf(" %s |", thousands((counts[1]-counts[0]+n/2)/n))
		}
		fmt.Println()
	}
	return nil
}

// An emulator runs the guest with the plugin that counts.
type emulator struct{ model, guest, plugin string }

// build compiles the guest and the plugin.
func (e *emulator) build() error {
	const here = "github.com/pqlane/pqlane/bench/instructions"
	source, err := exec.Command("go", "list", "-f", "{{.Dir}}", here).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	guest := exec.Command("go", "build", "-o", e.guest, here+"/guest")
	guest.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	plugin := exec.Command("cc", "-O2", "-fPIC", "-shared", "-o", e.plugin,
		filepath.Join(strings.TrimSpace(string(source)), "plugin", "count.c"))
	for _, cmd := range []*exec.Cmd{guest, plugin} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// least returns the least count of three runs: the runtime's own threads add to some.
func (e *emulator) least(backend string, args ...string) (least int, err error) {
	for i := range 3 {
		_, n, err := e.run(backend, args...)
		if err != nil {
			return 0, err
		}
		if i == 0 || n < least {
			least = n
		}
	}
	return least, nil
}

// run runs the guest on a backend and returns what it prints and how many instructions it
// took.
func (e *emulator) run(backend string, args ...string) (output string, instructions int, err error) {
	cmd := exec.Command("qemu-aarch64", append([]string{"-cpu", e.model, "-plugin", e.plugin, e.guest}, args...)...)
	cmd.Env = append(os.Environ(), "PQLANE_BACKEND="+backend, "GOGC=off", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", 0, fmt.Errorf("%v: %w\n%s", cmd, err, stderr.Bytes())
	}
	if bytes.Contains(stderr.Bytes(), []byte("PQLANE_BACKEND")) {
		return "", 0, fmt.Errorf("%s", bytes.TrimSpace(stderr.Bytes()))
	}
	m := regexp.MustCompile(`(?m)^instructions: (\d+)$`).FindSubmatch(stderr.Bytes())
	if m == nil {
		return "", 0, fmt.Errorf("%v: the plugin printed no count", cmd)
	}
	instructions, err = strconv.Atoi(string(m[1]))
	return stdout.String(), instructions, err
}

// thousands groups the digits of n.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
