package mcpconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// The reasons of errors, matched with [errors.Is]. Each error of a connection has one; the
// error that caused it is matched too.
var (
	// ErrConfig is a configuration that can't work. The text says what to change.
	ErrConfig = errors.New("mcpconn: unusable configuration")

	// ErrPolicy is a peer that offers or has chosen less than the policy wants.
	ErrPolicy = errors.New("mcpconn: policy not met")

	// ErrRegression is a peer that was stronger before, as [Config.Memory] has it.
	ErrRegression = errors.New("mcpconn: peer is weaker than it was")

	// ErrCertificate is a peer whose identity is missing, not trusted, not valid, revoked, or
	// not the pinned one.
	ErrCertificate = errors.New("mcpconn: peer not authenticated")

	// ErrProtocol is a peer, or a network, that does not speak TLS 1.3 as it should, or says
	// by an alert that we don't.
	ErrProtocol = errors.New("mcpconn: handshake failed")

	// ErrTimeout is a handshake that took too long, or whose context ended.
	ErrTimeout = errors.New("mcpconn: handshake timed out")

	// ErrSigner is an identity whose key failed to sign, or signed wrongly.
	ErrSigner = errors.New("mcpconn: identity can't sign")

	// ErrMemory is a memory that is damaged or can't be written.
	ErrMemory = errors.New("mcpconn: memory of peers not usable")

	// ErrLimit is a connection beyond the limits of a [Listener].
	ErrLimit = errors.New("mcpconn: too many handshakes")

	// ErrMaxAge is the use of a connection that [Config.MaxAge] closed.
	ErrMaxAge = errors.New("mcpconn: connection is older than MaxAge")

	// ErrNetwork is a connection that ended or could not be made.
	ErrNetwork = errors.New("mcpconn: network")
)

// A Reason is the short name of an error's reason, for logs and metrics.
type Reason string

const (
	ReasonConfig      Reason = "config"
	ReasonPolicy      Reason = "policy"
	ReasonRegression  Reason = "regression"
	ReasonCertificate Reason = "certificate"
	ReasonProtocol    Reason = "protocol"
	ReasonTimeout     Reason = "timeout"
	ReasonSigner      Reason = "signer"
	ReasonMemory      Reason = "memory"
	ReasonLimit       Reason = "limit"
	ReasonMaxAge      Reason = "max-age"
	ReasonNetwork     Reason = "network"
)

var reasons = map[error]Reason{
	ErrConfig: ReasonConfig, ErrPolicy: ReasonPolicy, ErrRegression: ReasonRegression,
	ErrCertificate: ReasonCertificate, ErrProtocol: ReasonProtocol, ErrTimeout: ReasonTimeout,
	ErrSigner: ReasonSigner, ErrMemory: ReasonMemory, ErrLimit: ReasonLimit, ErrMaxAge: ReasonMaxAge,
	ErrNetwork: ReasonNetwork,
}

// An Error is an error of this package.
type Error struct {
	Kind   error  // one of the Err values of this package
	Detail string // what was wrong, and what was expected
	Err    error  // what caused it, or nil
}

// Reason returns the short name of Kind.
func (e *Error) Reason() Reason { return reasons[e.Kind] }

func (e *Error) Error() string {
	s := e.Kind.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap makes [errors.Is] match Kind and what Err matches.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Timeout reports whether the error is a timeout. With Temporary it implements [net.Error].
func (e *Error) Timeout() bool { return e.Kind == ErrTimeout }

// Temporary reports false.
func (e *Error) Temporary() bool { return false }

var _ net.Error = (*Error)(nil)

func newError(kind error, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

func wrapError(kind error, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...), Err: err}
}

// ReasonOf returns the reason of an error of this package, or "".
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason()
	}
	return ""
}

// alertOf returns the alert that the peer sent, if that ended the handshake.
func alertOf(err error) (tls.AlertError, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	// crypto/tls keeps its alert type to itself outside of QUIC; its text is the only access.
	for code := range 256 {
		if tls.AlertError(code).Error() == op.Err.Error() {
			return tls.AlertError(code), true
		}
	}
	return 0, false
}

// alertText names the alert that the peer sent, "" if it sent none.
func alertText(err error) string {
	alert, ok := alertOf(err)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(alert.Error(), "tls: ")
}

// classify turns an error of crypto/tls, or of the network beneath, into one of this package.
func classify(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	timeout, isNet := errors.AsType[net.Error](err)
	_, isAlert := alertOf(err)
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded),
		isNet && timeout.Timeout():
		return wrapError(ErrTimeout, err, "")
	case errors.As(err, &certificate), strings.Contains(err.Error(), "client didn't provide a certificate"):
		return wrapError(ErrCertificate, err, "")
	case isAlert:
		return wrapError(ErrProtocol, err, "the peer refused")
	case isOp && op.Op == "local error":
		// An alert of ours: crypto/tls did not like what came.
		return wrapError(ErrProtocol, err, "")
	case errors.As(err, &header):
		return wrapError(ErrProtocol, err, "the peer does not speak TLS")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed), isNet:
		return wrapError(ErrNetwork, err, "")
	}
	return wrapError(ErrProtocol, err, "")
}
