package kvasir.metal.snp;

import kvasir.metal.memory.PhysicalMemory;

/**
 * What memory looks like under another key: a keyed permutation of each 16-byte block, tweaked by its system physical
 * address, as the memory controller's AES is. Deterministic: the key of an ASID is a constant. It is a four-round Feistel
 * network and no AES, so it hides nothing from anyone; but as with AES one changed bit changes its block beyond
 * recognition, equal blocks at different addresses look different, and moved ciphertext decrypts to garbage.
 */
public final class MemoryEncryption {
    private static final int ROUNDS = 4;
    private static final int PAGE_BYTES = 4096;
    private static final long GOLDEN = 0x9e37_79b9_7f4a_7c15L;

    private MemoryEncryption() {}

    /** Finalizer of splitmix64. */
    private static long mix(long value) {
        long x = value;
        x = (x ^ x >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        x = (x ^ x >>> 27) * 0x94d0_49bb_1331_11ebL;
        return x ^ x >>> 31;
    }

    private static long roundKey(int asid, long address, int round) {
        return mix(asid * GOLDEN + round) ^ address;
    }

    /** The page in place: from what the guest with {@code asid} sees to what everybody else sees. */
    static void encrypt(PhysicalMemory memory, long spa, int asid) {
        var page = new byte[PAGE_BYTES];
        memory.read(spa, page, 0, PAGE_BYTES);
        memory.write(spa, encrypted(page, spa, asid), 0, PAGE_BYTES);
    }

    /** The page in place: from what everybody sees to what the guest with {@code asid} sees. */
    static void decrypt(PhysicalMemory memory, long spa, int asid) {
        var page = new byte[PAGE_BYTES];
        memory.read(spa, page, 0, PAGE_BYTES);
        memory.write(spa, decrypted(page, spa, asid), 0, PAGE_BYTES);
    }

    /**
     * Ciphertext of {@code plain}.
     *
     * @param plain a multiple of 16 bytes
     * @param spa of its first byte, 16-byte aligned
     */
    public static byte[] encrypted(byte[] plain, long spa, int asid) {
        var out = new byte[plain.length];
        for (int at = 0; at < plain.length; at += 16) {
            long left = get(plain, at);
            long right = get(plain, at + 8);
            for (int round = 0; round < ROUNDS; round++) {
                long swapped = left ^ mix(right + roundKey(asid, spa + at, round));
                left = right;
                right = swapped;
            }
            put(out, at, left);
            put(out, at + 8, right);
        }
        return out;
    }

    /** Plaintext of {@code cipher}; the inverse of {@link #encrypted}. */
    public static byte[] decrypted(byte[] cipher, long spa, int asid) {
        var out = new byte[cipher.length];
        for (int at = 0; at < cipher.length; at += 16) {
            long left = get(cipher, at);
            long right = get(cipher, at + 8);
            for (int round = ROUNDS - 1; round >= 0; round--) {
                long swapped = right ^ mix(left + roundKey(asid, spa + at, round));
                right = left;
                left = swapped;
            }
            put(out, at, left);
            put(out, at + 8, right);
        }
        return out;
    }

    private static long get(byte[] bytes, int at) {
        long value = 0;
        for (int i = 7; i >= 0; i--) {
            value = value << 8 | bytes[at + i] & 0xff;
        }
        return value;
    }

    private static void put(byte[] bytes, int at, long value) {
        for (int i = 0; i < 8; i++) {
            bytes[at + i] = (byte) (value >>> (8 * i));
        }
    }
}
