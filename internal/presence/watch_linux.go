package presence

import (
	"encoding/binary"
	"os"
	"syscall"
)

// notifier is an instance of inotify(7), made when it is needed.
type notifier struct {
	f      *os.File
	failed bool // there is none to be had: a user has 128
	ids    map[int32]*watched
}

// notify has f end when its file is rung or removed. It reports whether it can.
func (w *Watcher) notify(id int64, f *watched) bool {
	n := &w.told
	if n.f == nil && !n.failed {
		fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
		if n.failed = err != nil; err == nil {
			n.f, n.ids = os.NewFile(uintptr(fd), "inotify"), map[int32]*watched{}
			go w.read(n.f)
		}
	}
	if n.f == nil {
		return false
	}
	var wd int
	err := control(n.f, func(fd int) (err error) {
		// The number of links is an attribute: removal shows at once.
		wd, err = syscall.InotifyAddWatch(fd, w.place.path(id), syscall.IN_MODIFY|syscall.IN_ATTRIB|syscall.IN_DELETE_SELF)
		return err
	})
	if err != nil {
		return false
	}
	n.ids[int32(wd)] = f
	if w.place.hasRung(id) {
		f.end()
	}
	return true
}

// Close ends the watching of rings. The kernel takes its time for it, 10 ms and
// more: at the end of a process, that is how much later it ends.
func (w *Watcher) Close() {
	w.mu.Lock()
	f := w.told.f
	w.told.f, w.told.failed = nil, true
	w.mu.Unlock()
	if f != nil {
		f.Close()
	}
}

func control(f *os.File, fn func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := c.Control(func(fd uintptr) { ferr = fn(int(fd)) }); err != nil {
		return err
	}
	return ferr
}

// read takes what the kernel tells.
func (w *Watcher) read(f *os.File) {
	buf := make([]byte, 4096)
	for {
		n, err := f.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		for b := buf[:n]; len(b) >= syscall.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(b))
			size := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			if f := w.told.ids[wd]; f != nil {
				f.end()
				delete(w.told.ids, wd)
			}
			b = b[min(size, len(b)):]
		}
		w.mu.Unlock()
	}
}
