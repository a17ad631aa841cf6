package kvasir.metal.tdx;

/** Page types of the PAMT (TDX ABI); the number is byte 2 of an entry. */
public enum PageType {
    PT_NDA(0),
    PT_RSVD(1),
    PT_REG(3),
    PT_TDR(4),
    PT_TDCX(5),
    PT_TDVPR(6),
    PT_EPT(8);

    private final int number;

    PageType(int number) {
        this.number = number;
    }

    /** The number in the entry. */
    public int number() {
        return number;
    }

    /** The type with that number; anything the module never writes is a bug of ours. */
    static PageType of(int number) {
        return switch (number) {
            case 0 -> PT_NDA;
            case 1 -> PT_RSVD;
            case 3 -> PT_REG;
            case 4 -> PT_TDR;
            case 5 -> PT_TDCX;
            case 6 -> PT_TDVPR;
            case 8 -> PT_EPT;
            default -> throw new IllegalStateException("PAMT page type " + number);
        };
    }
}
