package kvasir.metal.cpu.simd;

/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM volume 2, "Imm8 Control Byte Operation for PCMPxSTRx"). */
public final class StringCompare {
    private static final int WORDS = 1;
    private static final int SIGNED = 2;
    private static final int MOST_SIGNIFICANT = 0x40;

    private StringCompare() {}

    /** Elements in a register: 8 words or 16 bytes. */
    public static int elements(int control) {
        return (control & WORDS) != 0 ? 8 : 16;
    }

    /**
     * Length of a string in elements.
     *
     * @param explicit given by {@code register}, whose absolute value counts and saturates; otherwise up to the first null
     */
    public static int length(long[] string, int control, boolean explicit, long register) {
        int elements = elements(control);
        if (explicit) {
            boolean beyond = register > elements || register < -elements;
            return beyond ? elements : (int) Math.abs(register);
        }
        int bits = 128 / elements;
        int length = 0;
        while (length < elements && Elements.get(string, bits, length) != 0) {
            length++;
        }
        return length;
    }

    /** IntRes2: one bit an element of the second string. */
    public static int compare(long[] a, int lengthA, long[] b, int lengthB, int control) {
        int elements = elements(control);
        int first = 0;
        for (int j = 0; j < elements; j++) {
            boolean match = switch (control >>> 2 & 3) {
                case 0 -> anyOf(a, lengthA, b, lengthB, control, j);
                case 1 -> inRanges(a, lengthA, b, lengthB, control, j);
                case 2 -> same(a, lengthA, b, lengthB, control, j, j);
                default -> substring(a, lengthA, b, lengthB, control, j);
            };
            first |= match ? 1 << j : 0;
        }
        int all = (1 << elements) - 1;
        int valid = (1 << lengthB) - 1;
        return switch (control >>> 4 & 3) {
            case 1 -> ~first & all;
            case 3 -> first ^ valid;
            default -> first;
        };
    }

    private static long element(long[] string, int control, int index) {
        int bits = 128 / elements(control);
        return (control & SIGNED) != 0 ? Elements.getSigned(string, bits, index) : Elements.get(string, bits, index);
    }

    private static boolean anyOf(long[] a, int lengthA, long[] b, int lengthB, int control, int j) {
        for (int i = 0; i < lengthA && j < lengthB; i++) {
            if (element(a, control, i) == element(b, control, j)) {
                return true;
            }
        }
        return false;
    }

    private static boolean inRanges(long[] a, int lengthA, long[] b, int lengthB, int control, int j) {
        for (int i = 0; i + 1 < lengthA && j < lengthB; i += 2) {
            long value = element(b, control, j);
            if (value >= element(a, control, i) && value <= element(a, control, i + 1)) {
                return true;
            }
        }
        return false;
    }

    /** Equal each: two elements past their ends are equal, one past its end differs. */
    private static boolean same(long[] a, int lengthA, long[] b, int lengthB, int control, int i, int j) {
        if (i >= lengthA || j >= lengthB) {
            return i >= lengthA && j >= lengthB;
        }
        return element(a, control, i) == element(b, control, j);
    }

    /** Equal ordered: the first string stands in the second at {@code j}, as far as the register reaches. */
    private static boolean substring(long[] a, int lengthA, long[] b, int lengthB, int control, int j) {
        int elements = elements(control);
        for (int i = 0; i < lengthA && i + j < elements; i++) {
            if (i + j >= lengthB || element(a, control, i) != element(b, control, i + j)) {
                return false;
            }
        }
        return true;
    }

    /** What ECX becomes: the first or last match, or the number of elements. */
    public static int index(int found, int control) {
        if (found == 0) {
            return elements(control);
        }
        return (control & MOST_SIGNIFICANT) != 0
                ? 31 - Integer.numberOfLeadingZeros(found)
                : Integer.numberOfTrailingZeros(found);
    }

    /** What XMM0 becomes: the bits, or a mask of whole elements. */
    public static void mask(int found, int control, long[] d) {
        d[0] = found;
        d[1] = 0;
        if ((control & MOST_SIGNIFICANT) != 0) {
            int bits = 128 / elements(control);
            for (int i = 0; i < elements(control); i++) {
                Elements.put(d, bits, i, (found >>> i & 1) != 0 ? -1 : 0);
            }
        }
    }
}
