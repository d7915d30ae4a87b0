/** The five primes of XXH64 (specification, section "XXH64 algorithm description"), each as two signed halves. */
export const PRIME1_HI: number = 0x9e3779b1 | 0;
export const PRIME1_LO: number = 0x85ebca87 | 0;
export const PRIME2_HI: number = 0xc2b2ae3d | 0;
export const PRIME2_LO: number = 0x27d4eb4f | 0;
export const PRIME3_HI: number = 0x165667b1 | 0;
export const PRIME3_LO: number = 0x9e3779f9 | 0;
export const PRIME4_HI: number = 0x85ebca77 | 0;
export const PRIME4_LO: number = 0xc2b2ae63 | 0;
export const PRIME5_HI: number = 0x27d4eb2f | 0;
export const PRIME5_LO: number = 0x165667c5 | 0;
