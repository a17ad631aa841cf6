package kvasir.metal.snp.psp;

import kvasir.registry.Bytes;

/**
 * One step of the launch digest: one 4 KiB page.
 *
 * @param number from 1
 * @param contents SHA-384 of the page, or 48 zero bytes when the type is not measured
 * @param permissions VMPL1 in the low byte, then VMPL2 and VMPL3
 * @param digest launch digest after this page
 */
public record LedgerRecord(
        int number, PageType type, long gpa, Bytes contents, boolean imi, int permissions, Bytes digest) {
    /** One line: {@code 17  NORMAL      0x0000fffff000  contents 3c1f...  LD 086e2e91...}. */
    public String describe() {
        String content = type.measured() ? contents.hex().substring(0, 16) : "-";
        return "%5d  %-10s  0x%012x  %-16s  %s"
                .formatted(number, type, gpa, content, digest.hex().substring(0, 16));
    }
}
