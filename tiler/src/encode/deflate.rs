//! Deflate (RFC 1950, 1951) with runs and Huffman codes alone.
//!
//! Differences of neighbouring rows of a measured ramp are small numbers without repeating strings. Searching for
//! strings costs most of a general compressor's time and finds nothing there; `zlib` knows the same trick as `Z_RLE`.

/// Bytes compressed with one set of codes.
const BLOCK: usize = 1 << 18;
/// Shortest and longest run of the format.
const RUN: (usize, usize) = (3, 258);
/// Shortest run that is looked for: rare enough in noise for the processor to guess right.
const SOUGHT: usize = 4;
/// Literals, the end of the block, lengths of runs.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// Tokens from here on are runs: token - `RUN_TOKEN` + 3 bytes like the one before.
const RUN_TOKEN: u16 = 256;
/// The order in which the lengths of the codes of code lengths are written.
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Appends `data` as a zlib stream; `tokens` is scratch memory.
pub(super) fn zlib(data: &[u8], tokens: &mut Vec<u16>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x78, 0x01]);
    let mut bits = Bits {
        out,
        pending: 0,
        count: 0,
    };
    let mut start = 0;
    loop {
        let end = data.len().min(start + BLOCK);
        tokenise(data, start, end, tokens);
        block(tokens, end == data.len(), &mut bits);
        start = end;
        if start == data.len() {
            break;
        }
    }
    bits.finish();
    out.extend_from_slice(&libdeflater::adler32(data).to_be_bytes());
}

/// Cuts `data[start..end]` into literals and runs of the byte before.
fn tokenise(data: &[u8], start: usize, end: usize, tokens: &mut Vec<u16>) {
    tokens.clear();
    let mut i = start;
    while i < end {
        let byte = data[i];
        let longest = (end - i).min(RUN.1);
        if i > 0 && longest >= SOUGHT && data[i - 1..i - 1 + SOUGHT] == data[i..i + SOUGHT] {
            let run = data[i..i + longest]
                .iter()
                .position(|b| *b != byte)
                .unwrap_or(longest);
            tokens.push(RUN_TOKEN + (run - RUN.0) as u16);
            i += run;
        } else {
            tokens.push(u16::from(byte));
            i += 1;
        }
    }
}

/// Symbol, number of extra bits and their value for a run of `RUN.0 + over` bytes (RFC 1951, 3.2.5).
fn run_symbol(over: usize) -> (usize, u32, u32) {
    if over == RUN.1 - RUN.0 {
        return (285, 0, 0);
    }
    if over < 8 {
        return (257 + over, 0, 0);
    }
    // four symbols for each doubling
    let extra = over.ilog2() - 2;
    let step = over >> extra;
    (
        257 + 4 * extra as usize + step,
        extra,
        (over - (step << extra)) as u32,
    )
}

fn block(tokens: &[u16], last: bool, bits: &mut Bits<'_>) {
    let mut counts = [0_u32; 512];
    for token in tokens {
        counts[usize::from(*token)] += 1;
    }
    let mut frequencies = [0_u32; SYMBOLS];
    frequencies[..256].copy_from_slice(&counts[..256]);
    frequencies[END] = 1;
    for (over, count) in counts[256..].iter().enumerate() {
        frequencies[run_symbol(over).0] += count;
    }
    let lengths = code_lengths(&frequencies, 15);
    let codes = canonical(&lengths);
    // the one distance, 1, has a code of one bit
    let mut written = lengths.clone();
    written.push(1);
    let mut length_frequencies = [0_u32; 19];
    for length in &written {
        length_frequencies[usize::from(*length)] += 1;
    }
    let length_lengths = code_lengths(&length_frequencies, 7);
    let length_codes = canonical(&length_lengths);

    bits.put(u32::from(last), 1);
    bits.put(2, 2);
    bits.put((SYMBOLS - 257) as u32, 5);
    bits.put(0, 5);
    bits.put(19 - 4, 4);
    for symbol in LENGTH_ORDER {
        bits.put(u32::from(length_lengths[symbol]), 3);
    }
    for length in &written {
        let (code, length) = length_codes[usize::from(*length)];
        bits.put(code, length);
    }
    // code and length of each token; a run takes its extra bits and the zero bit of the distance along
    let mut table = [(0_u32, 0_u32); 512];
    table[..256].copy_from_slice(&codes[..256]);
    for (over, entry) in table[256..].iter_mut().enumerate() {
        let (symbol, extra, value) = run_symbol(over);
        let (code, length) = codes[symbol];
        *entry = (code | value << length, length + extra + 1);
    }
    for pair in tokens.chunks(2) {
        for token in pair {
            let (code, length) = table[usize::from(token & 511)];
            bits.add(code, length);
        }
        bits.flush();
    }
    bits.put(codes[END].0, codes[END].1);
}

/// Lengths of Huffman codes of at most `longest` bits; at least two symbols get one, as decoders ask.
fn code_lengths(frequencies: &[u32], longest: u8) -> Vec<u8> {
    let mut frequencies = frequencies.to_vec();
    for symbol in 0..2 {
        if frequencies.iter().filter(|count| **count > 0).count() < 2 && frequencies[symbol] == 0 {
            frequencies[symbol] = 1;
        }
    }
    loop {
        let lengths = huffman(&frequencies);
        if lengths.iter().all(|length| *length <= longest) {
            return lengths;
        }
        // flatter frequencies give a flatter tree; all ones give the flattest
        frequencies
            .iter_mut()
            .filter(|count| **count > 0)
            .for_each(|count| *count = *count / 2 + 1);
    }
}

/// Depths of the leaves of a Huffman tree.
fn huffman(frequencies: &[u32]) -> Vec<u8> {
    let mut leaves: Vec<(u32, usize)> = frequencies
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(i, count)| (*count, i))
        .collect();
    leaves.sort_unstable();
    // nodes 0.. are the leaves by rising weight, then the inner ones, which are made by rising weight too
    let mut weights: Vec<u64> = leaves.iter().map(|(count, _)| u64::from(*count)).collect();
    let mut parents = vec![0_usize; 2 * leaves.len()];
    let (mut leaf, mut inner) = (0, leaves.len());
    while weights.len() < 2 * leaves.len() - 1 {
        let made = weights.len();
        let mut weight = 0;
        for _ in 0..2 {
            let take_leaf = leaf < leaves.len() && (inner >= made || weights[leaf] <= weights[inner]);
            let node = if take_leaf { &mut leaf } else { &mut inner };
            weight += weights[*node];
            parents[*node] = made;
            *node += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0_u8; weights.len()];
    for node in (0..weights.len() - 1).rev() {
        depths[node] = depths[parents[node]].saturating_add(1);
    }
    let mut lengths = vec![0; frequencies.len()];
    for ((_, symbol), depth) in leaves.iter().zip(depths) {
        lengths[*symbol] = depth;
    }
    lengths
}

/// The codes of canonical Huffman lengths, first bit lowest, with their lengths (RFC 1951, 3.2.2).
fn canonical(lengths: &[u8]) -> Vec<(u32, u32)> {
    let mut next = [0_u32; 17];
    for length in lengths.iter().filter(|length| **length > 0) {
        next[usize::from(*length) + 1] += 1;
    }
    for length in 1..next.len() {
        next[length] = (next[length] + next[length - 1]) << 1;
    }
    // `next[n]` is now the first code of n bits
    let code = |length: &u8| {
        let length = u32::from(*length);
        if length == 0 {
            return (0, 0);
        }
        let place = &mut next[length as usize];
        let code = *place;
        *place += 1;
        (code.reverse_bits() >> (32 - length), length)
    };
    lengths.iter().map(code).collect()
}

/// Bits on their way out, lowest first.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits<'_> {
    /// Adds up to 57 bits in one or more goes; [`Self::flush`] before more.
    #[inline]
    fn add(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
    }

    /// Writes out the whole bytes, always in the same way: a branch could not be guessed.
    #[inline]
    fn flush(&mut self) {
        let whole = (self.count / 8) as usize;
        let length = self.out.len();
        self.out.extend_from_slice(&self.pending.to_le_bytes());
        self.out.truncate(length + whole);
        self.pending >>= 8 * whole;
        self.count %= 8;
    }

    fn put(&mut self, value: u32, count: u32) {
        self.add(value, count);
        self.flush();
    }

    fn finish(self) {
        let bytes = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(data: &[u8]) -> usize {
        let mut out = Vec::new();
        zlib(data, &mut Vec::new(), &mut out);
        let mut back = vec![1; data.len()];
        let size = libdeflater::Decompressor::new()
            .zlib_decompress(&out, &mut back)
            .expect("a valid stream");
        assert_eq!(size, data.len());
        assert!(back == data, "{} bytes come back changed", data.len());
        out.len()
    }

    #[test]
    fn runs_of_every_length_come_back() {
        for run in 0..600 {
            let data: Vec<u8> = [vec![7; run], vec![9; 3], vec![7; run / 2]].concat();
            round_trip(&data);
        }
        assert!(round_trip(&vec![0; 1_000_000]) < 2000);
    }

    #[test]
    fn noise_of_any_spread_comes_back() {
        let mut state = 1_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        for bits in 0..=8 {
            for size in [1_usize, 2, 3, 255, 4096, 70_000, BLOCK, BLOCK + 1, 2 * BLOCK + 77] {
                let data: Vec<u8> = (0..size).map(|_| (random() & ((1 << bits) - 1)) as u8).collect();
                round_trip(&data);
            }
        }
    }

    #[test]
    fn steep_frequencies_keep_codes_within_fifteen_bits() {
        // Fibonacci counts make the deepest Huffman tree
        let (mut a, mut b) = (1_usize, 1_usize);
        let mut data = Vec::new();
        for symbol in 0..24_u8 {
            // alternate, so that no runs form
            (0..a).for_each(|_| data.extend_from_slice(&[symbol, 255]));
            (a, b) = (b, a + b);
        }
        round_trip(&data[..data.len().min(BLOCK)]);
        round_trip(&data);
    }
}
