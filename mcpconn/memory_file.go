package mcpconn

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// The file of a memory is a line that names the format, a JSON object, and a line with the hash
// of all before: a torn or changed file is not taken for a smaller one.
const memoryHeader = "pqlane mcpconn memory 1\n"

// maxMemoryFile is far above what maxRemembered peers take.
const maxMemoryFile = 64 << 20

type memoryFile struct{ path string }

type memoryContent struct {
	Peers  map[string]Strength `json:"peers"`
	Damage string              `json:"damage,omitempty"`
}

func openMemory(path string, now time.Time) (*Memory, error) {
	m := NewMemory()
	m.file = &memoryFile{path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Written at once, so that a folder that can't be written to is noticed now.
		return m, m.save(func() {})
	case err != nil:
		return nil, wrapError(ErrMemory, err, "")
	case !info.Mode().IsRegular() || info.Size() > maxMemoryFile:
		return nil, newError(ErrMemory, "%s is not a file of at most %d bytes", path, maxMemoryFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, wrapError(ErrMemory, err, "")
	}
	content, err := parseMemory(data)
	if err == nil {
		m.peers, m.damage = content.Peers, content.Damage
		return m, nil
	}
	aside := fmt.Sprintf("%s.damaged-%s", path, now.UTC().Format("20060102T150405.000000000"))
	m.damage = fmt.Sprintf("%s was damaged (%v) and is kept as %s; look at it, then call Memory.ClearDamage", path, err, aside)
	slog.Error("mcpconn: memory of peers damaged", "file", path, "kept", aside, "cause", err.Error())
	// A copy and a replacement, not a renaming: a crash in between must not leave no file,
	// which would look like a new memory.
	if err := os.WriteFile(aside, data, 0o600); err != nil {
		return nil, wrapError(ErrMemory, err, "damaged file can't be kept aside")
	}
	return m, m.save(func() {})
}

func parseMemory(data []byte) (content memoryContent, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(memoryHeader))
	if !ok {
		return content, errors.New("no header of a memory")
	}
	sumLine := len(data) - (2*sha256.Size + 1)
	if sumLine < len(memoryHeader) || data[len(data)-1] != '\n' {
		return content, errors.New("cut off")
	}
	sum := sha256.Sum256(data[:sumLine])
	if string(data[sumLine:len(data)-1]) != hex.EncodeToString(sum[:]) {
		return content, errors.New("its hash is another")
	}
	if err := json.Unmarshal(rest[:sumLine-len(memoryHeader)], &content); err != nil {
		return content, err
	}
	if content.Peers == nil {
		content.Peers = map[string]Strength{}
	}
	return content, nil
}

func (f *memoryFile) write(peers map[string]Strength, damage string) error {
	body, err := json.Marshal(memoryContent{peers, damage})
	if err != nil {
		return err
	}
	data := append([]byte(memoryHeader), body...)
	data = append(data, '\n')
	sum := sha256.Sum256(data)
	data = append(hex.AppendEncode(data, sum[:]), '\n')

	dir := filepath.Dir(f.path)
	temp, err := os.CreateTemp(dir, filepath.Base(f.path)+".new-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), f.path)
	}
	if err != nil {
		os.Remove(temp.Name())
		return err
	}
	// The name is durable once its folder is. Some systems can't sync a folder.
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
	return nil
}
