package kvasir.vmm.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.UUID;
import kvasir.registry.Bytes;

/** The SEV hash table by which OVMF recognises the kernel, initrd and command line of a direct boot (QEMU, edk2). */
public final class KernelHashes {
    private static final int ENTRY_BYTES = 50;
    private static final int TABLE_BYTES = 168;
    static final int PADDED_BYTES = 176;
    private static final String TABLE = "9438d606-4f22-4cc9-b479-a793d411fd21";
    private static final String COMMAND_LINE = "97d02dd8-bd20-4c94-aa78-e7714d36ab2a";
    private static final String INITRD = "44baf731-3a2f-4bd7-9af1-41e29169781d";
    private static final String KERNEL = "4de79437-abd2-427f-b835-d5b172d2045b";

    private KernelHashes() {}

    /** The 176 bytes: 168 of table, padded to a multiple of 16. */
    public static Bytes table(DirectBoot boot) {
        var table = new byte[PADDED_BYTES];
        ByteBuffer out = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
        putGuid(out, TABLE);
        out.putShort((short) TABLE_BYTES);
        byte[] line = boot.commandLine().getBytes(StandardCharsets.UTF_8);
        entry(out, COMMAND_LINE, Arrays.copyOf(line, line.length + 1));
        entry(out, INITRD, boot.initrd().toArray());
        entry(out, KERNEL, boot.kernel().toArray());
        return Bytes.of(table);
    }

    /** The 4 KiB page that holds the table at its place. */
    public static Bytes page(DirectBoot boot, long tableGpa) {
        byte[] table = table(boot).toArray();
        var page = new byte[4096];
        System.arraycopy(table, 0, page, (int) tableGpa & 0xfff, table.length);
        return Bytes.of(page);
    }

    private static void entry(ByteBuffer out, String guid, byte[] content) {
        putGuid(out, guid);
        out.putShort((short) ENTRY_BYTES);
        try {
            out.put(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static void putGuid(ByteBuffer out, String guid) {
        UUID id = UUID.fromString(guid);
        long high = id.getMostSignificantBits();
        out.putInt((int) (high >>> 32)).putShort((short) (high >>> 16)).putShort((short) high);
        out.putLong(Long.reverseBytes(id.getLeastSignificantBits()));
    }
}
