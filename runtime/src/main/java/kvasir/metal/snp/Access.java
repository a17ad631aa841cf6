package kvasir.metal.snp;

/** The kinds of access that VMPL permissions tell apart (APM 2, 15.36.7). */
public enum Access {
    READ('r', 1),
    /** Includes updates of accessed and dirty bits and the processor's own page-table writes. */
    WRITE('w', 2),
    USER_FETCH('u', 4),
    SUPERVISOR_FETCH('s', 8),
    SHADOW_STACK('k', 16);

    /** Every permission bit. */
    public static final int ALL_PERMISSIONS = 0x1f;

    private final char letter;
    private final int permission;

    Access(char letter, int permission) {
        this.letter = letter;
        this.permission = permission;
    }

    /** The permission bit that lets this access through. */
    public int permission() {
        return permission;
    }

    /** Whether the access changes memory. */
    public boolean writes() {
        return this == WRITE || this == SHADOW_STACK;
    }

    /** Permission bits as letters: {@code rw---}. */
    public static String permissionWord(int permissions) {
        var text = new StringBuilder();
        for (Access access : values()) {
            text.append((permissions & access.permission()) != 0 ? access.letter : '-');
        }
        return text.toString();
    }
}
