package faults

const (
	groupTable    = "hybrid/group.go"
	groupErrors   = "hybrid/group_errors.go"
	groupExchange = "hybrid/group_exchange.go"
	xwing         = "hybrid/xwing.go"
	xwingPKIX     = "hybrid/xwing_pkix.go"
)

func init() {
	faults = append(faults, []fault{
		{"the order of X25519MLKEM768 turned round", groupTable, "x25519, mlkem768, true}", "x25519, mlkem768, false}", hybrid, "StandardLibrary"},
		{"the order of SecP256r1MLKEM768 turned round", groupTable, "p256, mlkem768, false}", "p256, mlkem768, true}", hybrid, "StandardLibrary"},
		{"an ephemeral that is used twice", groupExchange, "(e.turn, e.turn+1)", "(e.turn, e.turn)", hybrid, "TestEphemeral"},
		{"an ephemeral that is not used up", groupExchange, "	defer i.release()\n", "", hybrid, "TestSecretsAreWiped"},
		{"the ephemeral's key on the curve kept", groupExchange, "	i.private = nil\n", "", hybrid, "TestSecretsAreWiped"},
		{"the ephemeral's ML-KEM key kept", groupExchange, "		i.dk.Destroy()\n", "		_ = i.dk\n", hybrid, "TestSecretsAreWiped"},
		{"the client's shared key kept", groupExchange, "	clear(i.sharedKey[:])\n", "", hybrid, "TestSecretsAreWiped"},
		{"the server's shared key kept", groupExchange, "	clear(r.sharedKey[:])\n", "", hybrid, "TestSecretsAreWiped"},
		{"a client takes a zero X25519 secret", groupExchange, "return dst, g.zeroSecret(server)", "classical = make([]byte, 32)", hybrid, "TestWrongServerShares"},
		{"a server takes a zero X25519 secret", groupExchange, "return dst, secret, g.zeroSecret(client)", "classical = make([]byte, 32)", hybrid, "TestWrongClientShares"},
		{"a client takes shares of any length", groupExchange, "len(serverShare) != g.shareSize(server)", "false", hybrid, "TestWrongServerShares"},
		{"a server takes shares of any length", groupExchange, "len(clientShare) != g.shareSize(client)", "false", hybrid, "TestWrongClientShares"},
		{"swapped halves called a wrong point", groupErrors, "if g.swapped(r, share) {", "if false {", hybrid, "TestWrongServerShares"},
		{"swapped halves called a wrong coefficient", groupErrors, "if g.swapped(client, share) {", "if false {", hybrid, "TestWrongClientShares"},
		{"a point at infinity in zeros called off the curve", groupErrors, " || point[0] == 4 && isZero(point[1:])", "", hybrid, "TestWrongServerShares"},

		{"the label of X-Wing", xwing, "`\\./`", "`\\.-`", hybrid, "TestXWingAgrees"},
		{"X-Wing refuses a zero secret", xwing, "err == nil {\n		copy(input[part:], ssX)", "err != nil {\n		panic(err)\n	} else {\n		copy(input[part:], ssX)", hybrid, "TestXWingHashes"},
		{"X-Wing's ML-KEM key kept", xwing, "	dk.m.Destroy()\n", "", hybrid, "TestXWingUnusable"},
		{"X-Wing's seed kept", xwing, "	clear(dk.seed[:])\n", "", hybrid, "TestXWingUnusable"},
		{"X-Wing ciphertexts that are too long", xwing, "len(ciphertext) != XWingCiphertextSize", "len(ciphertext) < XWingCiphertextSize", hybrid, "TestXWingWrongInput"},
		{"a key of X-Wing that is usable after it failed to parse", xwing, "	ek.x = nil\n", "", hybrid, "TestXWingWrongInput"},
		{"a key of X-Wing with another's public key", xwingPKIX, "k.PublicKey != nil && !bytes.Equal(k.PublicKey, dk.ek.Bytes())", "bytes.Equal(k.PublicKey, nil) && false", hybrid, "TestXWingKeysSurvive"},
		{"parameters in X-Wing's identifier", xwingPKIX, "err := a.Bare(); err != nil", "err := error(nil); err != nil", hybrid, "TestXWingWrongFormats"},
	}...)
}
