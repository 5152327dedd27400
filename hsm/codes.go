package hsm

import "fmt"

// Return values that this package acts upon (PKCS #11 3.2, Section 5.1).
const (
	ckrDeviceError                = 0x30
	ckrDeviceMemory               = 0x31
	ckrDeviceRemoved              = 0x32
	ckrKeyHandleInvalid           = 0x60
	ckrAttributeSensitive         = 0x11
	ckrAttributeTypeInvalid       = 0x12
	ckrAttributeValueInvalid      = 0x13
	ckrGeneralError               = 0x05
	ckrFunctionFailed             = 0x06
	ckrFunctionNotSupported       = 0x54
	ckrMechanismInvalid           = 0x70
	ckrObjectHandleInvalid        = 0x82
	ckrOperationActive            = 0x90
	ckrPINIncorrect               = 0xa0
	ckrPINInvalid                 = 0xa1
	ckrPINLenRange                = 0xa2
	ckrPINLocked                  = 0xa4
	ckrSessionClosed              = 0xb0
	ckrSessionCount               = 0xb1
	ckrSessionHandleInvalid       = 0xb3
	ckrTemplateIncomplete         = 0xd0
	ckrTemplateInconsistent       = 0xd1
	ckrTokenNotPresent            = 0xe0
	ckrTokenNotRecognized         = 0xe1
	ckrTokenWriteProtected        = 0xe2
	ckrUserAlreadyLoggedIn        = 0x100
	ckrUserNotLoggedIn            = 0x101
	ckrUserPINNotInitialized      = 0x102
	ckrBufferTooSmall             = 0x150
	ckrCryptokiNotInitialized     = 0x190
	ckrCryptokiAlreadyInitialized = 0x191
	ckrSlotIDInvalid              = 0x03
)

// Error returns the function and the code with its name.
func (e *Error) Error() string {
	if name := codeNames[e.Code]; name != "" {
		return fmt.Sprintf("hsm: %s: %s (%#x)", e.Function, name, e.Code)
	}
	return fmt.Sprintf("hsm: %s: %#x", e.Function, e.Code)
}

// Is reports whether target is this package's error for the code.
func (e *Error) Is(target error) bool {
	switch e.Code {
	case ckrPINIncorrect, ckrPINInvalid, ckrPINLenRange:
		return target == ErrPIN
	case ckrPINLocked:
		return target == ErrPINLocked
	case ckrSessionCount:
		return target == ErrSessions
	case ckrMechanismInvalid, ckrFunctionNotSupported, 0x209:
		return target == ErrUnsupported
	}
	return false
}

// codeNames has the names of the standard's return values, without CKR_.
var codeNames = map[uint]string{
	0x01: "CANCEL", 0x02: "HOST_MEMORY", 0x03: "SLOT_ID_INVALID", 0x05: "GENERAL_ERROR", 0x06: "FUNCTION_FAILED",
	0x07: "ARGUMENTS_BAD", 0x08: "NO_EVENT", 0x09: "NEED_TO_CREATE_THREADS", 0x0a: "CANT_LOCK",
	0x10: "ATTRIBUTE_READ_ONLY", 0x11: "ATTRIBUTE_SENSITIVE", 0x12: "ATTRIBUTE_TYPE_INVALID", 0x13: "ATTRIBUTE_VALUE_INVALID",
	0x1b: "ACTION_PROHIBITED", 0x20: "DATA_INVALID", 0x21: "DATA_LEN_RANGE", 0x30: "DEVICE_ERROR", 0x31: "DEVICE_MEMORY",
	0x32: "DEVICE_REMOVED", 0x40: "ENCRYPTED_DATA_INVALID", 0x41: "ENCRYPTED_DATA_LEN_RANGE", 0x42: "AEAD_DECRYPT_FAILED",
	0x50: "FUNCTION_CANCELED", 0x51: "FUNCTION_NOT_PARALLEL", 0x54: "FUNCTION_NOT_SUPPORTED", 0x60: "KEY_HANDLE_INVALID",
	0x62: "KEY_SIZE_RANGE", 0x63: "KEY_TYPE_INCONSISTENT", 0x64: "KEY_NOT_NEEDED", 0x65: "KEY_CHANGED", 0x66: "KEY_NEEDED",
	0x67: "KEY_INDIGESTIBLE", 0x68: "KEY_FUNCTION_NOT_PERMITTED", 0x69: "KEY_NOT_WRAPPABLE", 0x6a: "KEY_UNEXTRACTABLE",
	0x70: "MECHANISM_INVALID", 0x71: "MECHANISM_PARAM_INVALID", 0x82: "OBJECT_HANDLE_INVALID", 0x90: "OPERATION_ACTIVE",
	0x91: "OPERATION_NOT_INITIALIZED", 0xa0: "PIN_INCORRECT", 0xa1: "PIN_INVALID", 0xa2: "PIN_LEN_RANGE", 0xa3: "PIN_EXPIRED",
	0xa4: "PIN_LOCKED", 0xb0: "SESSION_CLOSED", 0xb1: "SESSION_COUNT", 0xb3: "SESSION_HANDLE_INVALID",
	0xb4: "SESSION_PARALLEL_NOT_SUPPORTED", 0xb5: "SESSION_READ_ONLY", 0xb6: "SESSION_EXISTS", 0xb7: "SESSION_READ_ONLY_EXISTS",
	0xb8: "SESSION_READ_WRITE_SO_EXISTS", 0xc0: "SIGNATURE_INVALID", 0xc1: "SIGNATURE_LEN_RANGE", 0xd0: "TEMPLATE_INCOMPLETE",
	0xd1: "TEMPLATE_INCONSISTENT", 0xe0: "TOKEN_NOT_PRESENT", 0xe1: "TOKEN_NOT_RECOGNIZED", 0xe2: "TOKEN_WRITE_PROTECTED",
	0xf0: "UNWRAPPING_KEY_HANDLE_INVALID", 0xf1: "UNWRAPPING_KEY_SIZE_RANGE", 0xf2: "UNWRAPPING_KEY_TYPE_INCONSISTENT",
	0x100: "USER_ALREADY_LOGGED_IN", 0x101: "USER_NOT_LOGGED_IN", 0x102: "USER_PIN_NOT_INITIALIZED", 0x103: "USER_TYPE_INVALID",
	0x104: "USER_ANOTHER_ALREADY_LOGGED_IN", 0x105: "USER_TOO_MANY_TYPES", 0x110: "WRAPPED_KEY_INVALID",
	0x112: "WRAPPED_KEY_LEN_RANGE", 0x113: "WRAPPING_KEY_HANDLE_INVALID", 0x114: "WRAPPING_KEY_SIZE_RANGE",
	0x115: "WRAPPING_KEY_TYPE_INCONSISTENT", 0x120: "RANDOM_SEED_NOT_SUPPORTED", 0x121: "RANDOM_NO_RNG",
	0x130: "DOMAIN_PARAMS_INVALID", 0x140: "CURVE_NOT_SUPPORTED", 0x150: "BUFFER_TOO_SMALL", 0x160: "SAVED_STATE_INVALID",
	0x170: "INFORMATION_SENSITIVE", 0x180: "STATE_UNSAVEABLE", 0x190: "CRYPTOKI_NOT_INITIALIZED",
	0x191: "CRYPTOKI_ALREADY_INITIALIZED", 0x1a0: "MUTEX_BAD", 0x1a1: "MUTEX_NOT_LOCKED", 0x1b0: "NEW_PIN_MODE", 0x1b1: "NEXT_OTP",
	0x1b5: "EXCEEDED_MAX_ITERATIONS", 0x1b6: "FIPS_SELF_TEST_FAILED", 0x1b7: "LIBRARY_LOAD_FAILED", 0x1b8: "PIN_TOO_WEAK",
	0x1b9: "PUBLIC_KEY_INVALID", 0x200: "FUNCTION_REJECTED", 0x201: "TOKEN_RESOURCE_EXCEEDED", 0x202: "OPERATION_CANCEL_FAILED",
	0x203: "KEY_EXHAUSTED", 0x204: "PENDING", 0x205: "SESSION_ASYNC_NOT_SUPPORTED", 0x206: "SEED_RANDOM_REQUIRED",
	0x207: "OPERATION_NOT_VALIDATED", 0x208: "TOKEN_NOT_INITIALIZED", 0x209: "PARAMETER_SET_NOT_SUPPORTED",
}
