package kvasir.metal.cpu.fp;

/** Rounding control, in the order of its encoding (SDM volume 1, table 4-8). */
public enum Rounding {
    /** To nearest, ties to even. */
    NEAREST,
    /** Toward minus infinity. */
    DOWN,
    /** Toward plus infinity. */
    UP,
    /** Toward zero. */
    ZERO;

    private static final Rounding[] BY_ENCODING = values();

    /** The mode of an encoding, of which the low two bits count. */
    public static Rounding of(int encoding) {
        return BY_ENCODING[encoding & 3];
    }
}
