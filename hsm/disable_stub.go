package hsm

import "context"

func (t *Token) disable(ctx context.Context, key KeyInfo) error { return ErrNoCgo }
