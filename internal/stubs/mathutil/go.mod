module modernc.org/mathutil

go 1.26
