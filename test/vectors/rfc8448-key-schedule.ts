// RFC 8448 §3: every secret on the way through the key schedule of the simple handshake, for HKDF alone.

export const sharedSecret = '8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d'
export const earlySecret = '33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a'
export const derivedFromEarly = '6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba'
export const handshakeSecret = '1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac'
export const derivedFromHandshake = '43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4'
export const masterSecret = '18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919'

/** Hash of ClientHello and ServerHello, and what follows from it. */
export const helloHash = '860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8'
export const clientHandshakeTraffic = 'b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21'
export const serverHandshakeTraffic = 'b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38'
export const serverHandshakeKey = '3fce516009c21727d0f2e4e86ee403bc'
export const serverHandshakeIv = '5d313eb2671276ee13000b30'

/** Hash up to the server's Finished. */
export const serverFinishedHash = '9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13'
export const clientApplicationTraffic = '9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5'
export const serverApplicationTraffic = 'a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643'
export const exporterSecret = 'fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50'

/** Hash up to the client's Finished. */
export const clientFinishedHash = '209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d'
export const resumptionSecret = '7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c'
export const ticketNonce = '0000'
export const resumptionPsk = '4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3'
