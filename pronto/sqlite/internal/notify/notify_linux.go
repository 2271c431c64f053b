package notify

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Tell tells those who watch a database of a commit; path is that of its log.
func Tell(path string) {
	if fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err == nil {
		unix.Close(fd)
	}
}

// Watcher watches files of one directory.
type Watcher struct {
	f     *os.File
	names []string
	buf   [4096]byte
}

// remote are file systems that other machines may write to.
var remote = []int64{
	unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
	unix.V9FS_MAGIC, unix.FUSE_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC, unix.CEPH_SUPER_MAGIC,
}

var errRemote = errors.New("other machines may write to this file system")

// Watch watches the files at paths, all in one directory, which need not exist.
func Watch(paths ...string) (*Watcher, error) {
	dir := filepath.Dir(paths[0])
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return nil, err
	}
	if slices.Contains(remote, int64(fs.Type)) {
		return nil, errRemote
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CLOSE_WRITE|unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_TO|unix.IN_ONLYDIR); err != nil {
		unix.Close(fd)
		return nil, err
	}
	w := &Watcher{f: os.NewFile(uintptr(fd), "inotify")}
	for _, path := range paths {
		w.names = append(w.names, filepath.Base(path))
	}
	return w, nil
}

// Close ends the watch.
func (w *Watcher) Close() error { return w.f.Close() }

// Wait returns nil once something happened to one of the files, since the last
// Wait or Watch; at the latest at a time.
func (w *Watcher) Wait(ctx context.Context, until time.Time) error {
	stop := context.AfterFunc(ctx, func() { w.f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := w.f.SetReadDeadline(until); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := w.f.Read(w.buf[:])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ctx.Err()
		case err != nil:
			return err
		case w.concerns(w.buf[:n]):
			return ctx.Err()
		}
	}
}

// concerns reports whether one of the events in b is about one of the files, or
// some were lost. What else has come by now is read, too.
func (w *Watcher) concerns(b []byte) (yes bool) {
	for len(b) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(b[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00")
		yes = yes || mask&(unix.IN_Q_OVERFLOW|unix.IN_IGNORED) != 0 || slices.Contains(w.names, name)
		b = b[end:]
	}
	return yes
}
