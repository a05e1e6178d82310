//! AES that only encrypts, under a key of 16, 24 or 32 bytes: what a stream of it needs, and AES-192 with nothing more.
//!
//! As in `aes.rs`, every call fills the lanes.

use aes::Aes192Enc;
use aes::cipher::array::Array;
use aes::cipher::consts::{U4, U16};
use aes::cipher::inout::InOut;
use aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
    ParBlocks, ParBlocksSizeUser,
};

use super::aes::{Aes, Lanes};
use crate::prelude::*;

/// AES under one key, for encryption.
pub enum AesEncrypt {
    /// The key has 24 bytes.
    Middle(Box<Aes192Enc>),
    /// It has 16 or 32.
    Other(Box<Aes>),
}

type Block = Array<u8, U16>;

impl AesEncrypt {
    /// `None` where the key has another length.
    pub fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            24 => {
                let aes = Aes192Enc::new_from_slice(key).ok()?;
                Some(Self::Middle(Box::new(aes)))
            }
            _ => Some(Self::Other(Box::new(Aes::new(key)?))),
        }
    }

    fn encrypt_all(&self, blocks: &mut [Block]) {
        match self {
            Self::Middle(aes) => aes.encrypt_with_backend(Lanes(blocks)),
            Self::Other(aes) => aes.encrypt_all(blocks),
        }
    }
}

impl BlockSizeUser for AesEncrypt {
    type BlockSize = U16;
}

impl ParBlocksSizeUser for AesEncrypt {
    type ParBlocksSize = U4; // as many as the portable AES has lanes
}

impl BlockCipherEncrypt for AesEncrypt {
    fn encrypt_with_backend(&self, mode: impl BlockCipherEncClosure<BlockSize = U16>) {
        mode.call(self);
    }
}

impl BlockCipherEncBackend for AesEncrypt {
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
