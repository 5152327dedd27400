package hybrid

import (
	"crypto/rsa"
	"math/big"
)

// rsaTestPrimes are the primes of keys for tests alone, by size of the modulus: making keys
// takes seconds.
var rsaTestPrimes = map[int][2]string{
	1024: {
		"ced081c427cc90125490be47e14f0774e9422fe12dd5a8b4aec156fdcd9d932bc522bd609ab215cf2d8d29335402a094" +
			"71ba497664cf771e10199cf088ccf913",
		"ce2c1aaefbe0b85576bb5b2ae2183860fc63affc0c7ce9923d8a505608d498fc51a4543848929586dbafcd629d6f4400" +
			"e03da50be10f9a93a66b340610933f2f",
	},
	2048: {
		"f15d50f173b6d97190255c6a1ca35aab5c267c36eaa10d13d4635b648e89b3bf8a6650ca0e9aae26f9a59a6b9eb3680f" +
			"978b23fb4a5bc9bd927a626d374db11aa9653e081230040744496af12a3ce06597bbf51ddf65ee02b81cda0dcfc8ebf6" +
			"b438caf056d83e907db440066c2e22c1e38afd199b0eb20d55e590f130bd005b",
		"c420f5f54c0b3c6e90db821babcab2465a47dd0022b1338fd322f610ca8b781c659c948227cc9421ef2538789923d7b5" +
			"32f74ebcfb598d88653767c0576cbf582001fc2ce79e858d1bde5b573a47dfd947e4479bee679fbab484bb9fb14c7194" +
			"670151b7e53d0bb3e726132c6e3f84e63ab45f050ac3e8529ecda5fc7eef4d7d",
	},
	3072: {
		"ec55396676d0658a65e25ffe29fe234b7231021076a8bb20a15d2cee492f8238d598f32cef15cff314cbf14bf262b475" +
			"367cf864d14442b5ec9f45d89935d83f4605a15f271a9bc6ef976bf30cf24a3302f4f32c9e38519b43cb49cd1e1fe07d" +
			"42381fdaca334a94ad25ddf4e4a68b871c1b496dda08222f5f9822a264028dea6f98129983c18a138df8886ff2db9b47" +
			"ff02243735df23b5b1929ee364e80f05d92e14ed01ed8711e999f0ad99e7906be9fc76b07dfd3957e8effbb17abca97f",
		"da37203718380a68453856133cbbbfe4409d6d482ee31d359417be5bd66d4d7f2ac8ab91782f233e6cd84ce517de9f6a" +
			"415116969c9c35a8fce93d03dac155c571f05760f777331c629263de508982095a3bc87685ca703ffd92794ccdcd472e" +
			"4f63b6f0234317584e694f4eb5a5873d6a790bfb9d1a092f2dd0b11324ac02356d6fe6ede0bacf1ec356039547e9877f" +
			"5665c5778ffbb344f31638744bb05b10004af893b0fa9a0669503e5a1fb392a619f8820ceab0632caf627f3383a504bb",
	},
	4096: {
		"cc2cac94f4ba7a102d3adbab0534190f6f0a084f396f74dc7c7650b32f9b95b623555a3e0af654cd1a65a558ecd1877d" +
			"c01f33dbf623352645237113135cf4ac520e1832ff2ab63e474bc182a07df88f668d00f19fc93c18a2349511fccca26d" +
			"d8e07a01c3611b28ee6e0d7df72dc60ac6f40d209a46dcbd571f086e330afc09d1f69d11c5cfc9ecdd44a3c133ae6548" +
			"a2cf085cea059166520563d5aa4464f4392970d5f36a7bbef96e6855429ac190b7bb355a3e5d416b40d689dc86482d7e" +
			"1fb05053f2d4c2a246cfb06ad5c5b17df2b50d4b308354ae8b6b16b5341cfd90bbab5ac11166ce200bc9db8f1f991591" +
			"a9b5cbb22ce09a9ecbeb15d5aad55925",
		"cd18d5a2c719c45b2e6e054ccf02692ee23ef432a4ab3ede7f8c2f4b93472447f16f5ef5acb95f3ea267bbd34d3fad65" +
			"1787f3565c863067a0d89464ab327b78d507a861788c3ec170b0b2521ff09734bf1a8aeb106c83ed833d5066680c5ffd" +
			"2905832d47ec8125756b359d7b6a9d2d080f0d5e2f34bed381f9fa3f3ebc7997eb48dabebfa0140d4d77b5e8af1940ba" +
			"f56bdb7ae6c9d90d05494c29018ae46101123f6042958857ab58510a17dd4e888e01439e6729bd2c8120aaf2b483690f" +
			"8a8e071a691cf22b7342063aeeb0d63f817fe86063eeceb509ddab5aa2b1fd2a1f3ed09ba4629add3b556064cd3a865a" +
			"e1706ec252ec3f07545a687089a828d9",
	},
}

// rsaTestKey returns a key of its own with the primes for that size.
func rsaTestKey(bits int) *rsa.PrivateKey {
	primes := rsaTestPrimes[bits]
	p, _ := new(big.Int).SetString(primes[0], 16)
	q, _ := new(big.Int).SetString(primes[1], 16)
	return rsaKeyOf(rsaExponent, p, q)
}

// rsaKeyOf returns the key with the given exponent and primes, whatever they are.
func rsaKeyOf(e int64, primes ...*big.Int) *rsa.PrivateKey {
	n, phi, one := big.NewInt(1), big.NewInt(1), big.NewInt(1)
	for _, p := range primes {
		n.Mul(n, p)
		phi.Mul(phi, new(big.Int).Sub(p, one))
	}
	d := new(big.Int).ModInverse(big.NewInt(e), phi)
	sk := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e)}, D: d, Primes: primes}
	sk.Precompute()
	return sk
}
