package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/**
 * A SHA-384 context that lives in host memory, as the module keeps the one of MRTD in the TDCS: eight 64-bit words of
 * state and the number of 128-byte blocks done (FIPS 180-4). Every unit that MRTD takes is a whole number of blocks, so
 * there is no partial block. {@link java.security.MessageDigest} cannot be stored in a page; that is why this exists.
 */
final class Sha384 {
    static final int BLOCK_BYTES = 128;
    static final int DIGEST_BYTES = 48;
    /** Bytes of a stored context. */
    static final int CONTEXT_BYTES = 72;

    private static final long[] INITIAL = {
        0xcbbb_9d5d_c105_9ed8L, 0x629a_292a_367c_d507L, 0x9159_015a_3070_dd17L, 0x152f_ecd8_f70e_5939L,
        0x6733_2667_ffc0_0b31L, 0x8eb4_4a87_6858_1511L, 0xdb0c_2e0d_64f9_8fa7L, 0x47b5_481d_befa_4fa4L
    };
    private static final long[] K = {
        0x428a_2f98_d728_ae22L, 0x7137_4491_23ef_65cdL, 0xb5c0_fbcf_ec4d_3b2fL, 0xe9b5_dba5_8189_dbbcL,
        0x3956_c25b_f348_b538L, 0x59f1_11f1_b605_d019L, 0x923f_82a4_af19_4f9bL, 0xab1c_5ed5_da6d_8118L,
        0xd807_aa98_a303_0242L, 0x1283_5b01_4570_6fbeL, 0x2431_85be_4ee4_b28cL, 0x550c_7dc3_d5ff_b4e2L,
        0x72be_5d74_f27b_896fL, 0x80de_b1fe_3b16_96b1L, 0x9bdc_06a7_25c7_1235L, 0xc19b_f174_cf69_2694L,
        0xe49b_69c1_9ef1_4ad2L, 0xefbe_4786_384f_25e3L, 0x0fc1_9dc6_8b8c_d5b5L, 0x240c_a1cc_77ac_9c65L,
        0x2de9_2c6f_592b_0275L, 0x4a74_84aa_6ea6_e483L, 0x5cb0_a9dc_bd41_fbd4L, 0x76f9_88da_8311_53b5L,
        0x983e_5152_ee66_dfabL, 0xa831_c66d_2db4_3210L, 0xb003_27c8_98fb_213fL, 0xbf59_7fc7_beef_0ee4L,
        0xc6e0_0bf3_3da8_8fc2L, 0xd5a7_9147_930a_a725L, 0x06ca_6351_e003_826fL, 0x1429_2967_0a0e_6e70L,
        0x27b7_0a85_46d2_2ffcL, 0x2e1b_2138_5c26_c926L, 0x4d2c_6dfc_5ac4_2aedL, 0x5338_0d13_9d95_b3dfL,
        0x650a_7354_8baf_63deL, 0x766a_0abb_3c77_b2a8L, 0x81c2_c92e_47ed_aee6L, 0x9272_2c85_1482_353bL,
        0xa2bf_e8a1_4cf1_0364L, 0xa81a_664b_bc42_3001L, 0xc24b_8b70_d0f8_9791L, 0xc76c_51a3_0654_be30L,
        0xd192_e819_d6ef_5218L, 0xd699_0624_5565_a910L, 0xf40e_3585_5771_202aL, 0x106a_a070_32bb_d1b8L,
        0x19a4_c116_b8d2_d0c8L, 0x1e37_6c08_5141_ab53L, 0x2748_774c_df8e_eb99L, 0x34b0_bcb5_e19b_48a8L,
        0x391c_0cb3_c5c9_5a63L, 0x4ed8_aa4a_e341_8acbL, 0x5b9c_ca4f_7763_e373L, 0x682e_6ff3_d6b2_b8a3L,
        0x748f_82ee_5def_b2fcL, 0x78a5_636f_4317_2f60L, 0x84c8_7814_a1f0_ab72L, 0x8cc7_0208_1a64_39ecL,
        0x90be_fffa_2363_1e28L, 0xa450_6ceb_de82_bde9L, 0xbef9_a3f7_b2c6_7915L, 0xc671_78f2_e372_532bL,
        0xca27_3ece_ea26_619cL, 0xd186_b8c7_21c0_c207L, 0xeada_7dd6_cde0_eb1eL, 0xf57d_4f7f_ee6e_d178L,
        0x06f0_67aa_7217_6fbaL, 0x0a63_7dc5_a2c8_98a6L, 0x113f_9804_bef9_0daeL, 0x1b71_0b35_131c_471bL,
        0x28db_77f5_2304_7d84L, 0x32ca_ab7b_40c7_2493L, 0x3c9e_be0a_15c9_bebcL, 0x431d_67c4_9c10_0d4cL,
        0x4cc5_d4be_cb3e_42b6L, 0x597f_299c_fc65_7e2aL, 0x5fcb_6fab_3ad6_faecL, 0x6c44_198c_4a47_5817L
    };

    private final long[] hash = INITIAL.clone();
    private final long[] schedule = new long[80];
    private long blocks;

    Sha384() {}

    /** The context stored at {@code hpa}. */
    static Sha384 load(PhysicalMemory memory, long hpa) {
        var context = new Sha384();
        for (int i = 0; i < context.hash.length; i++) {
            context.hash[i] = memory.read64(hpa + 8 * i);
        }
        context.blocks = memory.read64(hpa + 8 * context.hash.length);
        return context;
    }

    /** Stores the context, {@link #CONTEXT_BYTES} bytes. */
    void store(PhysicalMemory memory, long hpa) {
        for (int i = 0; i < hash.length; i++) {
            memory.write64(hpa + 8 * i, hash[i]);
        }
        memory.write64(hpa + 8 * hash.length, blocks);
    }

    /** Appends whole blocks. */
    void update(byte[] data) {
        for (int at = 0; at < data.length; at += BLOCK_BYTES) {
            compress(data, at);
            blocks++;
        }
    }

    /** The digest of what was appended so far; the context is used up. */
    byte[] digest() {
        var last = new byte[BLOCK_BYTES];
        last[0] = (byte) 0x80;
        putBigEndian(last, BLOCK_BYTES - 8, blocks * BLOCK_BYTES * 8);
        compress(last, 0);
        var digest = new byte[DIGEST_BYTES];
        for (int i = 0; i < DIGEST_BYTES; i += 8) {
            putBigEndian(digest, i, hash[i / 8]);
        }
        return digest;
    }

    private void compress(byte[] data, int at) {
        long[] w = schedule;
        for (int t = 0; t < 16; t++) {
            long word = 0;
            for (int i = 0; i < 8; i++) {
                word = word << 8 | data[at + 8 * t + i] & 0xff;
            }
            w[t] = word;
        }
        for (int t = 16; t < 80; t++) {
            long s0 = Long.rotateRight(w[t - 15], 1) ^ Long.rotateRight(w[t - 15], 8) ^ w[t - 15] >>> 7;
            long s1 = Long.rotateRight(w[t - 2], 19) ^ Long.rotateRight(w[t - 2], 61) ^ w[t - 2] >>> 6;
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        long a = hash[0];
        long b = hash[1];
        long c = hash[2];
        long d = hash[3];
        long e = hash[4];
        long f = hash[5];
        long g = hash[6];
        long h = hash[7];
        for (int t = 0; t < 80; t++) {
            long s1 = Long.rotateRight(e, 14) ^ Long.rotateRight(e, 18) ^ Long.rotateRight(e, 41);
            long t1 = h + s1 + (e & f ^ ~e & g) + K[t] + w[t];
            long s0 = Long.rotateRight(a, 28) ^ Long.rotateRight(a, 34) ^ Long.rotateRight(a, 39);
            long t2 = s0 + (a & b ^ a & c ^ b & c);
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        hash[0] += a;
        hash[1] += b;
        hash[2] += c;
        hash[3] += d;
        hash[4] += e;
        hash[5] += f;
        hash[6] += g;
        hash[7] += h;
    }

    private static void putBigEndian(byte[] target, int at, long value) {
        for (int i = 0; i < 8; i++) {
            target[at + i] = (byte) (value >>> 56 - 8 * i);
        }
    }
}
