//! AES under a key of 16 or 32 bytes, as one type: the modes around it stand in the wasm once, not once a
//! key size.
//!
//! Every call fills the lanes of the portable AES, which takes as long for one block as for all: the code
//! for a single block, a second AES as large as the first, stays out of the wasm.

use aes::cipher::array::Array;
use aes::cipher::consts::{U4, U16};
use aes::cipher::inout::InOut;
use aes::cipher::typenum::Unsigned;
use aes::cipher::{
    BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
    BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit, ParBlocks,
    ParBlocksSizeUser,
};
use aes::{Aes128, Aes256};

/// AES under one key.
pub enum Aes {
    /// The key has 16 bytes.
    Short(Aes128),
    /// The key has 32 bytes.
    Long(Aes256),
}

type Block = Array<u8, U16>;

impl Aes {
    /// `None` where the key has neither 16 nor 32 bytes.
    pub fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Short),
            _ => Aes256::new_from_slice(key).ok().map(Self::Long),
        }
    }

    pub(super) fn encrypt_all(&self, blocks: &mut [Block]) {
        match self {
            Aes::Short(aes) => aes.encrypt_with_backend(Lanes(blocks)),
            Aes::Long(aes) => aes.encrypt_with_backend(Lanes(blocks)),
        }
    }

    fn decrypt_all(&self, blocks: &mut [Block]) {
        match self {
            Aes::Short(aes) => aes.decrypt_with_backend(Lanes(blocks)),
            Aes::Long(aes) => aes.decrypt_with_backend(Lanes(blocks)),
        }
    }
}

impl BlockSizeUser for Aes {
    type BlockSize = U16;
}

impl ParBlocksSizeUser for Aes {
    type ParBlocksSize = U4; // as many as the portable AES has lanes
}

impl BlockCipherEncrypt for Aes {
    fn encrypt_with_backend(&self, mode: impl BlockCipherEncClosure<BlockSize = U16>) {
        mode.call(self);
    }
}

impl BlockCipherDecrypt for Aes {
    fn decrypt_with_backend(&self, mode: impl BlockCipherDecClosure<BlockSize = U16>) {
        mode.call(self);
    }
}

impl BlockCipherEncBackend for Aes {
    fn encrypt_block(&self, mut block: InOut<'_, '_, Block>) {
        let mut blocks = [block.clone_in()];
        self.encrypt_all(&mut blocks);
        [*block.get_out()] = blocks;
    }

    fn encrypt_par_blocks(&self, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
        let mut all = blocks.clone_in();
        self.encrypt_all(&mut all);
        *blocks.get_out() = all;
    }
}

impl BlockCipherDecBackend for Aes {
    fn decrypt_block(&self, mut block: InOut<'_, '_, Block>) {
        let mut blocks = [block.clone_in()];
        self.decrypt_all(&mut blocks);
        [*block.get_out()] = blocks;
    }

    fn decrypt_par_blocks(&self, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
        let mut all = blocks.clone_in();
        self.decrypt_all(&mut all);
        *blocks.get_out() = all;
    }
}

/// Blocks that are worked on as many at a time as there are lanes, the last ones among lanes of zeros.
pub(super) struct Lanes<'a>(pub &'a mut [Block]);

impl BlockSizeUser for Lanes<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Lanes<'_> {
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        for blocks in self.0.chunks_mut(B::ParBlocksSize::USIZE) {
            let mut lanes = ParBlocks::<B>::default();
            lanes[..blocks.len()].copy_from_slice(blocks); // a chunk is no longer than the lanes
            backend.encrypt_par_blocks((&mut lanes).into());
            blocks.copy_from_slice(&lanes[..blocks.len()]);
        }
    }
}

impl BlockCipherDecClosure for Lanes<'_> {
    fn call<B: BlockCipherDecBackend<BlockSize = U16>>(self, backend: &B) {
        for blocks in self.0.chunks_mut(B::ParBlocksSize::USIZE) {
            let mut lanes = ParBlocks::<B>::default();
            lanes[..blocks.len()].copy_from_slice(blocks); // a chunk is no longer than the lanes
            backend.decrypt_par_blocks((&mut lanes).into());
            blocks.copy_from_slice(&lanes[..blocks.len()]);
        }
    }
}
