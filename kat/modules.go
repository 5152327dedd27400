package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A module is a Go module that carries known answers as data. It is fetched at a
// version and used only if its content has the pinned hash.
type module struct {
	path, version, sum string
	entries            []entry
}

func (m module) String() string { return m.path + "@" + m.version }

func modules() []module {
	return []module{
		{
			"github.com/c2sp/wycheproof", "v0.0.0-20260902155932-3fa63dd0344a",
			"h1:pNbL2nztRsWfW/ispAwsvcDFxs9Id38uIsR2/Up5G2c=",
			wycheproofEntries("testvectors_v1"),
		},
		{
			"github.com/cloudflare/circl", "v1.6.5",
			"h1:O64F26HEqNhznd/hrC5KZXVKYuKM2rx4deZDTc4ihQA=",
			slices.Concat(
				acvpEntries("ACVP f38183487eeb", "kem/mlkem/testdata",
					"ML-KEM-keyGen-FIPS203", "ML-KEM-encapDecap-FIPS203"),
				acvpEntries("ACVP in circl", "sign/mldsa/testdata",
					"ML-DSA-keyGen-FIPS204", "ML-DSA-sigGen-FIPS204", "ML-DSA-sigVer-FIPS204")),
		},
		{
			"github.com/geomys/acvp-testdata", "v0.0.0-20260526143807-16992c4b1561",
			"h1:kTG+UL7Non5EaJ8LMme/zXOuhV113XiGWH9uTikYTxU=",
			[]entry{
				{"ACVP session 669218", "vectors/ML-KEM.bz2", acvpFiles("vectors/ML-KEM", "expected/ML-KEM", "reasons")},
				{"ACVP session 667802", "vectors/ML-DSA.bz2", acvpFiles("vectors/ML-DSA", "expected/ML-DSA", "reasons")},
			},
		},
	}
}

// loadModules loads the vectors of the modules, and lists what a folder would have
// and they lack. A module whose content is not the pinned one is among v's errors;
// unavailable says which could not be had, and why.
func loadModules(mods []module) (v vectors, unavailable error) {
	dirs, unavailable := download(mods)
	have := make(map[string]bool)
	for _, m := range mods {
		dir, ok := dirs[m.path]
		if !ok {
			continue
		}
		fsys := os.DirFS(dir)
		sum, err := hashModule(fsys, m.String())
		if err == nil && sum != m.sum {
			err = fmt.Errorf("the content's hash is %s, not the pinned %s", sum, m.sum)
		}
		if err != nil {
			v.errs = append(v.errs, fmt.Errorf("%v: %w", m, err))
			continue
		}
		v.load(fsys, m.entries)
		for _, e := range m.entries {
			have[e.source] = true
		}
	}
	for _, e := range folderEntries() {
		if !have[e.source] {
			have[e.source] = true
			v.missing = append(v.missing, missing{e.source, "no module here has it; -vectors names a folder"})
		}
	}
	return v, unavailable
}

// download has the go command fetch the modules into its cache and returns their
// directories by module path. The error names each module that is not there.
func download(mods []module) (dirs map[string]string, err error) {
	gocmd, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("modules with vectors are fetched by the go command, which is not here: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := []string{"mod", "download", "-json"}
	for _, m := range mods {
		args = append(args, m.String())
	}
	cmd := exec.CommandContext(ctx, gocmd, args...)
	// Outside any module, so that no go.mod is read or changed.
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GO111MODULE=on", "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()

	dirs = make(map[string]string)
	var errs []error
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var m struct{ Path, Version, Dir, Error string }
		if err := dec.Decode(&m); err != nil {
			if !errors.Is(err, io.EOF) {
				errs = append(errs, fmt.Errorf("go mod download: %w", err))
			}
			break
		}
		if m.Error != "" {
			errs = append(errs, fmt.Errorf("%s@%s: %s", m.Path, m.Version, strings.TrimSpace(m.Error)))
			continue
		}
		dirs[m.Path] = m.Dir
	}
	if runErr != nil && errs == nil {
		errs = append(errs, fmt.Errorf("go mod download: %w: %s", runErr, strings.TrimSpace(stderr.String())))
	}
	return dirs, errors.Join(errs...)
}

// hashModule returns the h1: hash of a module's tree as go.sum has it: SHA-256 of
// the sorted lines "SHA-256 of a file, two spaces, module@version/name"
// (golang.org/x/mod/sumdb/dirhash). It reads the tree itself, since the go command's
// own record says nothing about what happened to the cache later.
func hashModule(fsys fs.FS, prefix string) (string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	tree := sha256.New()
	for _, name := range names {
		f, err := fsys.Open(name)
		if err != nil {
			return "", err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(tree, "%x  %s/%s\n", h.Sum(nil), prefix, name)
	}
	return "h1:" + base64.StdEncoding.EncodeToString(tree.Sum(nil)), nil
}
