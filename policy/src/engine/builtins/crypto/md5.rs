//! MD5 (RFC 1321), which the project's library of cryptography leaves out. Good for comparing with what others wrote
//! down, and for nothing that must be safe.

const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const BLOCK: usize = 64;

/// The digest of some bytes.
pub(super) fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(BLOCK) - 8, 0);
    padded.extend((bytes.len() as u64).wrapping_mul(8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let sines = sines();
    for block in padded.chunks_exact(BLOCK) {
        round(&mut state, block, &sines);
    }
    let mut out = [0; 16];
    for (at, word) in state.iter().enumerate() {
        out[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
    }
    out
}

/// The keyed digest (RFC 2104).
pub(super) fn keyed(key: &[u8], text: &[u8]) -> [u8; 16] {
    let mut block = if key.len() > BLOCK { digest(key).to_vec() } else { key.to_vec() };
    block.resize(BLOCK, 0);
    let with = |pad: u8, rest: &[u8]| digest(&[block.iter().map(|byte| byte ^ pad).collect(), rest.to_vec()].concat());
    with(0x5c, &with(0x36, text))
}

/// The whole part of 2^32 times the sine of each number from 1.
fn sines() -> [u32; 64] {
    std::array::from_fn(|at| (f64::from(at as u32 + 1).sin().abs() * 4_294_967_296.0) as u32)
}

fn round(state: &mut [u32; 4], block: &[u8], sines: &[u32; 64]) {
    let word = |at: usize| u32::from_le_bytes([block[4 * at], block[4 * at + 1], block[4 * at + 2], block[4 * at + 3]]);
    let [mut a, mut b, mut c, mut d] = *state;
    for step in 0..64 {
        let (mixed, at) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
            2 => (b ^ c ^ d, (3 * step + 5) % 16),
            _ => (c ^ (b | !d), (7 * step) % 16),
        };
        let sum = a.wrapping_add(mixed).wrapping_add(sines[step]).wrapping_add(word(at));
        (a, d, c) = (d, c, b);
        b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
    }
    for (kept, new) in state.iter_mut().zip([a, b, c, d]) {
        *kept = kept.wrapping_add(new);
    }
}
