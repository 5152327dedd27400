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

// memoryLockTimeout bounds the wait for another process that has the file locked. Changes are rare, and
// take some milliseconds.
const memoryLockTimeout = 2 * time.Second

// A memoryFile is shared with other processes: who changes it has it locked, reads what is there, and
// puts a new file in its place.
type memoryFile struct {
	path     string
	info     os.FileInfo   // of the file that was read or written last, or nil
	patience time.Duration // with who has it locked
}

type memoryContent struct {
	Peers  map[string]Strength `json:"peers"`
	Damage string              `json:"damage,omitempty"`
}

// lock keeps other processes, and other Memory values, from changing the file until unlock.
func (f *memoryFile) lock() (unlock func(), err error) {
	lock, err := os.OpenFile(f.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for began, wait := time.Now(), time.Millisecond; ; wait *= 2 {
		free, err := tryLock(lock)
		switch {
		case err == nil && free:
			// Closing unlocks, and so does the end of the process.
			return func() { lock.Close() }, nil
		case err == nil && time.Since(began) > f.patience:
			err = fmt.Errorf("%s: locked by another process for %v", lock.Name(), f.patience)
		}
		if err != nil {
			lock.Close()
			return nil, err
		}
		time.Sleep(wait)
	}
}

// changed reports whether the file is another than that which was read or written last.
func (f *memoryFile) changed() bool {
	info, err := os.Stat(f.path)
	if err != nil || f.info == nil {
		return true
	}
	return !os.SameFile(info, f.info) || info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime())
}

// errDamaged is a file that was not written by write, or not whole.
var errDamaged = errors.New("damaged")

// read returns what the file has. For a damaged one the error matches errDamaged, and data is all of it.
func (f *memoryFile) read() (content memoryContent, data []byte, err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return content, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxMemoryFile {
		return content, nil, fmt.Errorf("%s is not a file of at most %d bytes", f.path, maxMemoryFile)
	}
	if data, err = os.ReadFile(f.path); err != nil {
		return content, nil, err
	}
	if content, err = parseMemory(data); err != nil {
		return content, data, fmt.Errorf("%w: %w", errDamaged, err)
	}
	f.info = info
	return content, nil, nil
}

// keepAside copies a damaged file, and returns what is to be said of it. It is a copy and later a
// replacement, not a renaming: a crash in between must not leave no file, which would look like
// a new memory.
func (f *memoryFile) keepAside(data []byte, cause error, now time.Time) (damage string, err error) {
	aside := fmt.Sprintf("%s.damaged-%s", f.path, now.UTC().Format("20060102T150405.000000000"))
	slog.Error("mcpconn: memory of peers damaged", "file", f.path, "kept", aside, "cause", cause.Error())
	if err := os.WriteFile(aside, data, 0o600); err != nil {
		return "", fmt.Errorf("damaged file can't be kept aside: %w", err)
	}
	return fmt.Sprintf("%s was damaged (%v) and is kept as %s; look at it, then call Memory.ClearDamage", f.path, cause, aside), nil
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

// write puts a new file in place of the old. The file is locked.
func (f *memoryFile) write(content memoryContent) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	data := append([]byte(memoryHeader), body...)
	data = append(data, '\n')
	sum := sha256.Sum256(data)
	data = append(hex.AppendEncode(data, sum[:]), '\n')

	// A crash leaves at most this one behind, and who has the lock next removes it.
	name := f.path + ".new"
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(name, f.path)
	}
	if err != nil {
		os.Remove(name)
		return err
	}
	// The name is durable once its folder is. Some systems can't sync a folder.
	if d, err := os.Open(filepath.Dir(f.path)); err == nil {
		d.Sync()
		d.Close()
	}
	f.info, err = os.Stat(f.path)
	return err
}
