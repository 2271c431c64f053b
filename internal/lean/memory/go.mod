module modernc.org/memory

go 1.26
