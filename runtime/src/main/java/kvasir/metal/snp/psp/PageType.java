package kvasir.metal.snp.psp;

import java.util.Arrays;
import java.util.Optional;

/** PAGE_TYPE of SNP_LAUNCH_UPDATE and of PAGE_INFO. */
public enum PageType {
    NORMAL(1),
    VMSA(2),
    ZERO(3),
    UNMEASURED(4),
    SECRETS(5),
    CPUID(6);

    private final int code;

    PageType(int code) {
        this.code = code;
    }

    /** The encoding, 1 to 6. */
    public int code() {
        return code;
    }

    /** Whether the digest takes the page's content; else it takes 48 zero bytes. */
    public boolean measured() {
        return this == NORMAL || this == VMSA;
    }

    /** The type with this encoding; 0 and 7 are none. */
    public static Optional<PageType> of(int code) {
        return Arrays.stream(values()).filter(t -> t.code == code).findFirst();
    }
}
