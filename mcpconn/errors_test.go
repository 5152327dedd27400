package mcpconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestErrorsAreTyped: what crypto/tls and the network return has one reason, and its cause is matched too.
func TestErrorsAreTyped(t *testing.T) {
	deadline := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	remote := &net.OpError{Op: "remote error", Err: tls.AlertError(40)}
	local := &net.OpError{Op: "local error", Err: tls.AlertError(20)}
	unknown := &x509.UnknownAuthorityError{}
	for _, test := range []struct {
		err    error
		kind   error
		reason Reason
		alert  string
	}{
		{context.DeadlineExceeded, ErrTimeout, "timeout", ""},
		{context.Canceled, ErrTimeout, "timeout", ""},
		{deadline, ErrTimeout, "timeout", ""},
		{&tls.CertificateVerificationError{Err: unknown}, ErrCertificate, "certificate", ""},
		{errors.New("tls: client didn't provide a certificate"), ErrCertificate, "certificate", ""},
		{remote, ErrProtocol, "protocol", "handshake failure"},
		{local, ErrProtocol, "protocol", ""},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, ErrProtocol, "protocol", ""},
		{errors.New("tls: something else"), ErrProtocol, "protocol", ""},
		{io.EOF, ErrNetwork, "network", ""},
		{io.ErrUnexpectedEOF, ErrNetwork, "network", ""},
		{net.ErrClosed, ErrNetwork, "network", ""},
		{refused, ErrNetwork, "network", ""},
		{newError(ErrPolicy, "x"), ErrPolicy, "policy", ""},
		{newError(ErrRegression, "x"), ErrRegression, "regression", ""},
	} {
		for _, err := range []error{test.err, fmt.Errorf("in a handshake: %w", test.err)} {
			e := classify(err)
			require.ErrorIs(t, e, test.kind, "%v", err)
			require.ErrorIs(t, e, test.err)
			assert.Equal(t, test.reason, e.Reason())
			assert.Equal(t, test.reason, ReasonOf(fmt.Errorf("dial: %w", e)))
			assert.Equal(t, test.alert, alertText(e))
			assert.Equal(t, test.kind == ErrTimeout, e.Timeout())
			assert.False(t, e.Temporary())
			assert.Contains(t, e.Error(), "mcpconn: ")
			for other := range reasons {
				assert.Equal(t, other == test.kind, errors.Is(e, other), "%v, %v", e, other)
			}
		}
	}
	assert.Empty(t, ReasonOf(io.EOF))
	assert.Empty(t, ReasonOf(nil))
	assert.Len(t, reasons, 11, "each has a name")
}
