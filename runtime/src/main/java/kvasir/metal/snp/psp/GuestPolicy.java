package kvasir.metal.snp.psp;

/** The guest policy, a u64 (SNP ABI, guest policy). */
public record GuestPolicy(long bits) {
    private static final long RESERVED = -1L << 26;
    private static final long MUST_BE_ONE = 1L << 17;

    boolean wellFormed() {
        return (bits & RESERVED) == 0 && (bits & MUST_BE_ONE) != 0;
    }

    int abiMinor() {
        return (int) bits & 0xff;
    }

    int abiMajor() {
        return (int) (bits >>> 8) & 0xff;
    }

    boolean smtAllowed() {
        return bit(16);
    }

    boolean migrationAgentAllowed() {
        return bit(18);
    }

    boolean debugAllowed() {
        return bit(19);
    }

    boolean singleSocket() {
        return bit(20);
    }

    boolean aes256XtsRequired() {
        return bit(22);
    }

    boolean raplDisabledRequired() {
        return bit(23);
    }

    boolean ciphertextHidingRequired() {
        return bit(24);
    }

    private boolean bit(int number) {
        return (bits >>> number & 1) != 0;
    }
}
