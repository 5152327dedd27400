package main

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A loader adds the cases of one entry to co. An error names the file and the case.
type loader func(fsys fs.FS, co *collector) error

// An entry is a file, or a folder of files, with known answers.
type entry struct {
	source string // who made it, as shown in the report
	path   string // in the folder or module
	load   loader
}

const (
	acvpRelease      = "v1.1.0.43"
	sourceWycheproof = "Wycheproof"
)

// What file names call the parameter sets.
var (
	mlkemSets = []string{"512", "768", "1024"}
	mldsaSets = []string{"44", "65", "87"}
)

// folderEntries is what a folder of vectors should hold.
func folderEntries() []entry {
	dir := "acvp/" + acvpRelease
	return slices.Concat(
		acvpEntries("ACVP "+acvpRelease, dir,
			"ML-KEM-keyGen-FIPS203", "ML-KEM-encapDecap-FIPS203", "ML-KEM-encapDecap-FIPS203-tr1",
			"ML-DSA-keyGen-FIPS204", "ML-DSA-sigGen-FIPS204", "ML-DSA-sigGen-FIPS204-tr1", "ML-DSA-sigVer-FIPS204"),
		wycheproofEntries("wycheproof"),
		cctvEntries(),
		[]entry{{"derived", "derived/unlucky_final.json", derivedUnlucky}},
		sha3Entries(),
		x509Entries(),
		cmsEntries(),
		compositeEntries(),
		tlsHybridEntries(),
		xwingEntries(),
		hpkePQEntries(),
	)
}

// acvpEntries are NIST's sets in their own layout, one folder each.
func acvpEntries(source, dir string, names ...string) []entry {
	var entries []entry
	for _, name := range names {
		d := path.Join(dir, name)
		label := source
		if strings.HasSuffix(name, "-tr1") {
			label += " tr1"
		}
		entries = append(entries, entry{label, d,
			acvpFiles(d+"/prompt.json", d+"/expectedResults.json", d+"/reasons.json")})
	}
	return entries
}

func wycheproofEntries(dir string) []entry {
	var entries []entry
	add := func(algorithm string, sets []string, kinds ...string) {
		for _, n := range sets {
			for _, kind := range kinds {
				name := fmt.Sprintf("%s/%s_%s_%s.json", dir, algorithm, n, kind)
				entries = append(entries, entry{sourceWycheproof, name, wycheproofFile(name)})
			}
		}
	}
	add("mlkem", mlkemSets, "test", "encaps_test", "semi_expanded_decaps_test", "keygen_seed_test")
	add("mldsa", mldsaSets, "sign_seed_test", "sign_noseed_test", "verify_test")
	return append(entries, ecdhEntries(dir)...)
}

func cctvEntries() []entry {
	var entries []entry
	for _, n := range mlkemSets {
		name := "ML-KEM-" + n
		file := func(kind string) string { return fmt.Sprintf("cctv/ml-kem/%s/%s.txt", kind, name) }
		for _, kind := range []string{"intermediate", "unluckysample"} {
			entries = append(entries, entry{"CCTV " + kind, file(kind), cctvKeyFile(file(kind), name, true)})
		}
		entries = append(entries,
			entry{"CCTV strcmp", file("strcmp"), cctvKeyFile(file("strcmp"), name, false)},
			entry{"CCTV modulus", file("modulus"), cctvModulusFile(file("modulus"), name)})
	}
	return append(entries,
		entry{"CCTV accumulated", "cctv/ml-kem/accumulated.json", cctvAccumulatedKEM},
		entry{"CCTV accumulated", "cctv/ml-dsa/accumulated.json", cctvAccumulatedDSA})
}

func sha3Entries() []entry {
	var entries []entry
	for _, h := range hashes {
		kinds := []string{"ShortMsg", "LongMsg", "Monte"}
		if h.size == 0 {
			kinds = append(kinds, "VariableOut")
		}
		for _, kind := range kinds {
			name := "sha3/" + strings.ReplaceAll(h.name, "-", "_") + kind + ".rsp"
			entries = append(entries, entry{"NIST CAVS 19.0", name, sha3File(name, h, kind)})
		}
	}
	return entries
}

// vectors is what was found.
type vectors struct {
	sets    []*set
	missing []missing
	errs    []error // malformed files, and modules with other content than the pinned one
}

// missing is a source, or an entry of one, that is not there.
type missing struct{ source, what string }

// load adds the entries' sets.
func (v *vectors) load(fsys fs.FS, entries []entry) {
	collectors, errs := make([]collector, len(entries)), make([]error, len(entries))
	inParallel(len(entries), func(i int) {
		collectors[i].source = entries[i].source
		errs[i] = guard(func() error { return entries[i].load(fsys, &collectors[i]) })
	})
	for i, e := range entries {
		switch err := errs[i]; {
		case errors.Is(err, fs.ErrNotExist):
			v.missing = append(v.missing, missing{e.source, e.path})
		case err != nil:
			v.errs = append(v.errs, err)
		default:
			v.sets = append(v.sets, collectors[i].sets...)
		}
	}
}

// readFile reads the named file, which may be compressed: name.bz2 or name.gz.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	for _, suffix := range []string{"", ".bz2", ".gz"} {
		data, err := fs.ReadFile(fsys, name+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return decompress(name+suffix, data)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// decompress undoes the compression that name's suffix tells.
func decompress(name string, data []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch path.Ext(name) {
	case ".bz2":
		r = bzip2.NewReader(bytes.NewReader(data))
	case ".gz":
		r, err = gzip.NewReader(bytes.NewReader(data))
	default:
		return data, nil
	}
	if err == nil {
		data, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}
