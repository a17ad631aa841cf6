package kvasir.metal.tdx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A metadata list (TDX ABI, MD_LIST): header with the size in bits 15:0 and the number of sequences in bits 31:16, then
 * for each sequence a header, the field id with the number of its last field in bits 46:38, and 8 bytes per field.
 */
final class MetadataList {
    private static final int BYTES = 4096;

    private MetadataList() {}

    /** The list of all global fields from {@code id} on; they fit in one page. */
    static byte[] of(TdxModule module, long id) {
        ByteBuffer list =
                ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN).position(8);
        boolean started = false;
        int sequences = 0;
        for (Field<TdxModule> field : SysFields.TABLE.fields()) {
            started |= field.fieldClass() == FieldTable.classOf(id) && field.code() == FieldTable.codeOf(id);
            if (!started) {
                continue;
            }
            list.putLong(field.id() | (long) (field.elements() - 1) << 38);
            for (int i = 0; i < field.elements(); i++) {
                list.putLong(field.get().get(module, i));
            }
            sequences++;
        }
        list.putLong(0, list.position() | (long) sequences << 16);
        return list.array();
    }
}
