package mcpconn

// growStack grows the stack of the goroutine at once to what a classical handshake takes, 32 KB for a
// client and 16 KB for a server. It gets there anyway, in three or four steps, each of which
// copies and adjusts what is on it by then; on a new goroutine that costs 2 % of the handshake.
func growStack(client bool) {
	if client {
		use24KB()
	} else {
		use12KB()
	}
}

//go:noinline
func use24KB() byte { var room [24 << 10]byte; return last(room[:]) }

//go:noinline
func use12KB() byte { var room [12 << 10]byte; return last(room[:]) }

//go:noinline
func last(room []byte) byte { return room[len(room)-1] }
