package faults

const (
	mcpconn = "./mcpconn"

	connHandshake  = "mcpconn/handshake.go"
	connListener   = "mcpconn/listener.go"
	connMemory     = "mcpconn/memory.go"
	connFile       = "mcpconn/memory_file.go"
	connRevocation = "mcpconn/revocation.go"
	connSession    = "mcpconn/session.go"
	connSigner     = "mcpconn/signer.go"
	connVerify     = "mcpconn/verify.go"
	connDirect     = "mcpconn/verify_direct.go"
	connWire       = "mcpconn/wire.go"
)

func init() {
	faults = append(faults, []fault{
		{"any key exchange", connHandshake, "if !slices.Contains(h.rules.Groups, cs.CurveID) ||", "if false &&", mcpconn, "TestNegotiated"},
		{"less than both sides have", connHandshake, "case !isPostQuantum(cs.CurveID) && slices", "case false && slices", mcpconn, "TestNegotiated"},
		{"a session of another binding, resumed", connHandshake, " h.offered.binding != h.binding ||", "", mcpconn, "TestResumed"},
		{"a session of another binding, taken", connSession, " s.binding != h.binding ||", "", mcpconn, "TestSessionsAreBound"},
		{"MaxAge counted from the session", connSession, "		s.authenticated = h.offered.authenticated\n", "", mcpconn, "TestSessionsEnd"},
		{"MaxAge not counted", connSession, "if h.cfg.MaxAge > 0 && h.cfg.MaxAge < limit {", "if false {", mcpconn, "TestResumed"},
		{"a classical leaf under strict", connHandshake, "case !h.strength.Authentication:", "case false:", mcpconn, "TestStrictDecisions"},
		{"a mixed chain under strict", connHandshake, "case !h.strength.Chain:", "case false:", mcpconn, "TestStrictDecisions"},
		{"a chain safe by its leaf alone", connVerify, "range chain[:len(chain)-1] {\n		if !isMLDSASigned(cert) {\n			return false", "range chain[:1] {\n		if !isMLDSASigned(cert) {\n			return false", mcpconn, "TestStrictDecisions"},

		{"any key for a pinned one", connVerify, "if !slices.Contains(cfg.PinnedKeys, PinOf(leaf)) {", "if false && !slices.Contains(cfg.PinnedKeys, PinOf(leaf)) {", mcpconn, "TestPins"},
		{"pins alone without a name", connVerify, "Roots: self, DNSName: name,", "Roots: self,", mcpconn, "TestPins"},
		{"pins alone without expiry", connVerify, "DNSName: name, CurrentTime: now,", "DNSName: name, CurrentTime: leaf.NotBefore,", mcpconn, "TestPins"},
		{"verified chains that do not expire", connVerify, "problem := inDate(chain, now)", "problem := error(nil)", mcpconn, "TestVerifiedChains"},
		{"verified chains that are not revoked", connVerify, "problem = revoked.check(chain, now)", "_ = revoked", mcpconn, "TestRevocation"},
		{"a leaf of the root's name alone", connDirect, "if hybrid.CheckCertificateSignature", "if false && hybrid.CheckCertificateSignature", mcpconn, "TestDirectChains"},
		{"a leaf below the root that is not looked at", connDirect, "verifyAlone(leaf, usage, name, now) != nil ||", "", mcpconn, "TestDirectChains"},
		{"a leaf that wants policies", connDirect, " || !plainLeaf(leaf) {", " {", mcpconn, "TestDirectChains"},
		{"constraints of a root", connDirect, "&&\n		onlyExtensions(cert, extSubjectKeyID, extKeyUsage, extBasicConstraints, extAuthorityKeyID)", "", mcpconn, "TestDirectChains"},
		{"a forged revocation list", connRevocation, "err := hybrid.CheckRevocationListSignature(l.RevocationList, issuer)", "err := hybrid.CheckRevocationListSignature(l.RevocationList, issuer)\n	err = nil", mcpconn, "TestRevocation"},

		{"a peer that is weaker than it was", connMemory, "if part.was && !part.now {", "if false {", mcpconn, "TestNegotiated"},
		{"a damaged memory under strict", connHandshake, "			if rules.MemoryRequired {", "			if false {", mcpconn, "TestDamagedMemoryStops"},
		{"a ticket key that opens for ever", connSession, "return age >= 2*sessionPeriod ||", "return", mcpconn, "TestTicketKeysRotate"},
		{"tickets that nobody has sealed", connSession, "binary.BigEndian.Uint64(plain[8:]) != 0 ||", "", mcpconn, "TestForgedTickets"},
		{"a stream that was cut, taken for whole", connWire, "if n == 0 && err == io.EOF {", "if n < 0 && err == io.EOF {", mcpconn, "TestCutsAreNoticed"},
		{"a memory that does not see what others wrote", connFile, "return !os.SameFile(info, f.info) || info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime())", "return info == nil", mcpconn, "TestMemoriesShare"},
		{"any version of the server's first record", connWire, "r.client && first &&", "false && first &&", mcpconn, "TestRecordVersions"},
		{"any number from an address", connListener, "|| l.addresses[p.address] >= mostOfAddress &&", "|| false &&", mcpconn, "TestSilentClients"},
		{"a signature that is not verified", connSigner, "	if !ok {\n		return errWrongSignature", "	if false && !ok {\n		return errWrongSignature", mcpconn, "TestForeignSigners"},
	}...)
}
