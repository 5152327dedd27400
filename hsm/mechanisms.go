package hsm

// Mechanisms are the numbers of the post-quantum mechanisms and types, for tokens that
// predate PKCS #11 3.2. What is 0 is the standard's.
type Mechanisms struct {
	MLDSA, MLDSAKeyPairGen, MLDSAKeyType uint
	MLKEM, MLKEMKeyPairGen, MLKEMKeyType uint
	HashMLDSA                            uint // CKM_HASH_ML_DSA: of digests
	MLDSAMu                              uint // external μ, which PKCS #11 3.2 lacks; 0: none
	ParameterSet, Decapsulate, Seed      uint // attributes CKA_PARAMETER_SET, CKA_DECAPSULATE, CKA_SEED
}
