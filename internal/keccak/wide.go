package keccak

// State8 holds eight Keccak states interleaved: word w of lane l is s[w][l]. It is for
// batches of streams that need one block: where registers are wide enough it costs less
// than two State4, and [Wide] says so.
type State8 [25][8]uint64

// Start begins sponges in all lanes, as [Scheduler.Start] does: the message of each is seed
// followed by the n low bytes of the lane's suffix. After Permute they can be squeezed.
func (s *State8) Start(rate int, domain byte, seed []byte, suffix *[8]uint64, n int) {
	padded := *suffix
	for lane := range padded {
		padded[lane] |= uint64(domain) << (8 * n)
	}
	s.start(seed, &padded, rate/8-1)
}

// startGeneric is Start with the domain in suffix and the padding's last bit in word
// last. len(seed) is a multiple of 8 and less than 8·last.
func (s *State8) startGeneric(seed []byte, suffix *[8]uint64, last int) {
	var half State4
	for l := 0; l < len(suffix); l += Lanes {
		half.startGeneric(1<<Lanes-1, seed, (*[Lanes]uint64)(suffix[l:]), last)
		for w := range s {
			copy(s[w][l:], half[w][:])
		}
	}
	clear(half[:])
}

// permuteGeneric applies Keccak-f[1600] to every lane.
func (s *State8) permuteGeneric() {
	var a [25]uint64
	for l := range s[0] {
		for w := range a {
			a[w] = s[w][l]
		}
		permuteGeneric(&a)
		for w := range a {
			s[w][l] = a[w]
		}
	}
	clear(a[:])
}
