package kvasir.vmm.launch;

/**
 * One section of the TDVF metadata.
 *
 * @param type what is there
 * @param dataOffset offset in the image of the content
 * @param rawSize bytes of content; the rest of the memory is zero
 * @param gpa where it goes
 * @param memorySize bytes of memory
 * @param attributes bit 0 MR.EXTEND, bit 1 PAGE.AUG
 */
public record TdvfSection(Type type, int dataOffset, int rawSize, long gpa, long memorySize, int attributes) {
    /** Section types; the number is the position. */
    public enum Type {
        BFV(0),
        CFV(1),
        TD_HOB(2),
        TEMP_MEM(3),
        PERM_MEM(4),
        PAYLOAD(5),
        PAYLOAD_PARAM(6),
        TD_INFO(7),
        TD_PARAMS(8);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    /** Whether the pages are measured with TDH.MR.EXTEND. */
    public boolean extend() {
        return (attributes & 1) != 0;
    }

    /** Whether the pages are left to TDH.MEM.PAGE.AUG. */
    public boolean augment() {
        return (attributes & 2) != 0;
    }

    /** One past the last byte. */
    public long end() {
        return gpa + memorySize;
    }
}
