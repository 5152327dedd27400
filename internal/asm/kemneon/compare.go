package main

import "github.com/pqlane/pqlane/internal/asm/a64"

// compare emits the difference of two strings, 64 bytes at a time, and 32 where they remain.
func compare(file *a64.File) {
	k, x := start(file, "differenceNEON", "func(a, b *byte, n uintptr) uint64", "a", "b", "n")
	sum := k.Vs(4)
	for _, v := range sum {
		k.VMOVI(v.D2(), 0, 0)
	}
	join := func(a, b, sum []a64.V) {
		for i := range a {
			k.VEOR(a[i].B16(), a[i].B16(), b[i].B16())
		}
		for i := range a {
			k.VORR(sum[i].B16(), sum[i].B16(), a[i].B16())
		}
	}
	a, b := k.Table(4), k.Table(4)
	loop, last, end := k.Label("loop"), k.Label("last"), k.Label("end")
	k.Place(loop)
	k.SUBS(x[2], x[2], 64)
	k.Branch("LT", last)
	k.LD1(x[0].Post(64), a[0].B16(), a[1].B16(), a[2].B16(), a[3].B16())
	k.LD1(x[1].Post(64), b[0].B16(), b[1].B16(), b[2].B16(), b[3].B16())
	join(a, b, sum)
	k.B(loop)
	k.Place(last)
	k.TBZ(x[2], 5, end)
	k.LD1(x[0].Post(32), a[0].B16(), a[1].B16())
	k.LD1(x[1].Post(32), b[0].B16(), b[1].B16())
	join(a[:2], b[:2], sum)
	k.Place(end)
	k.VORR(sum[0].B16(), sum[0].B16(), sum[1].B16())
	k.VORR(sum[2].B16(), sum[2].B16(), sum[3].B16())
	k.VORR(sum[0].B16(), sum[0].B16(), sum[2].B16())
	lower, upper := k.X(), k.X()
	k.UMOV(lower, sum[0].D(0))
	k.UMOV(upper, sum[0].D(1))
	k.ORR(lower, lower, upper)
	k.Result("ret", lower)
	k.finish(file)
}
