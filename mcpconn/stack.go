package mcpconn

// growStack grows the stack of the goroutine at once to what a classical handshake takes, 32 KB for a
// client and 16 KB for a server. It gets there anyway, in three or four steps, each of which
// copies and adjusts what is on it by then; on a new goroutine that costs 2 % of the handshake.
func growStack(client bool) {
	if client {
		room24KB(false)
	} else {
		room12KB(false)
	}
}

// room24KB has a stack frame of 24 KB, for which there must be room before it is called, and leaves it
// as it is.
//
//go:noinline
func room24KB(use bool) byte {
	if use {
		var room [24 << 10]byte
		return last(room[:])
	}
	return 0
}

// room12KB is room24KB of half the size.
//
//go:noinline
func room12KB(use bool) byte {
	if use {
		var room [12 << 10]byte
		return last(room[:])
	}
	return 0
}

//go:noinline
func last(room []byte) byte { return room[len(room)-1] }
