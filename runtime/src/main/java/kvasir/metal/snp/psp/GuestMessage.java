package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A guest message page: 0x00 tag (16 of 32 bytes), 0x20 u64 sequence number, 0x30 algorithm (1 is AES-256-GCM), 0x31 header
 * version 1, 0x32 u16 header size 0x60, 0x34 type, 0x35 message version 1, 0x36 u16 payload size, 0x3c VMPCK; from 0x60 the
 * encrypted payload. IV: sequence number, then 4 zero bytes. Additional data: header from 0x30 on.
 */
public final class GuestMessage {
    /** Bytes of a page. */
    public static final int PAGE_BYTES = 4096;

    /** MSG_CPUID_REQ; an answer's type is one more. */
    public static final int CPUID_REQ = 1;

    /** MSG_KEY_REQ. */
    public static final int KEY_REQ = 3;

    /** MSG_REPORT_REQ. */
    public static final int REPORT_REQ = 5;

    /** MSG_TSC_INFO_REQ. */
    public static final int TSC_INFO_REQ = 17;

    private static final int HEADER_BYTES = 0x60;
    private static final int SEQUENCE = 0x20;
    private static final int ALGORITHM = 0x30;
    private static final int HEADER_VERSION = 0x31;
    private static final int HEADER_SIZE = 0x32;
    private static final int TYPE = 0x34;
    private static final int VERSION = 0x35;
    private static final int SIZE = 0x36;
    private static final int KEY_ID = 0x3c;
    private static final int TAG_BYTES = 16;
    private static final int AES_256_GCM = 1;

    private final byte[] page;
    private final ByteBuffer header;

    /** @param page 4096 bytes */
    public GuestMessage(byte[] page) {
        this.page = page.clone();
        header = ByteBuffer.wrap(this.page).order(ByteOrder.LITTLE_ENDIAN);
    }

    boolean wellFormed() {
        return header.get(ALGORITHM) == AES_256_GCM
                && header.get(HEADER_VERSION) == 1
                && header.getShort(HEADER_SIZE) == HEADER_BYTES
                && header.get(VERSION) == 1
                && size() <= PAGE_BYTES - HEADER_BYTES
                && vmpck() <= 3
                && header.getLong(0x28) == 0
                && header.getInt(0x38) == 0;
    }

    long sequence() {
        return header.getLong(SEQUENCE);
    }

    int type() {
        return header.get(TYPE) & 0xff;
    }

    int vmpck() {
        return header.get(KEY_ID) & 0xff;
    }

    private int size() {
        return header.getShort(SIZE) & 0xffff;
    }

    /** The payload in clear, if the tag fits. */
    public Optional<byte[]> open(byte[] key) {
        try {
            byte[] sealed =
                    Arrays.copyOf(Arrays.copyOfRange(page, HEADER_BYTES, HEADER_BYTES + size()), size() + TAG_BYTES);
            System.arraycopy(page, 0, sealed, size(), TAG_BYTES);
            Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, sequence());
            cipher.updateAAD(page, ALGORITHM, HEADER_BYTES - ALGORITHM);
            return Optional.of(cipher.doFinal(sealed));
        } catch (AEADBadTagException e) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    /**
     * A whole page with {@code payload} sealed under {@code key}.
     *
     * @param key 32 bytes
     * @param vmpck 0 to 3
     */
    public static byte[] seal(byte[] key, long sequence, int type, int vmpck, byte[] payload) {
        var page = new byte[PAGE_BYTES];
        ByteBuffer header = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(SEQUENCE, sequence);
        header.put(ALGORITHM, (byte) AES_256_GCM);
        header.put(HEADER_VERSION, (byte) 1);
        header.putShort(HEADER_SIZE, (short) HEADER_BYTES);
        header.put(TYPE, (byte) type);
        header.put(VERSION, (byte) 1);
        header.putShort(SIZE, (short) payload.length);
        header.put(KEY_ID, (byte) vmpck);
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, sequence);
            cipher.updateAAD(page, ALGORITHM, HEADER_BYTES - ALGORITHM);
            byte[] sealed = cipher.doFinal(payload);
            System.arraycopy(sealed, 0, page, HEADER_BYTES, payload.length);
            System.arraycopy(sealed, payload.length, page, 0, TAG_BYTES);
            return page;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    private static Cipher cipher(int mode, byte[] key, long sequence) throws GeneralSecurityException {
        byte[] iv = ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(sequence)
                .array();
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(8 * TAG_BYTES, iv));
        return cipher;
    }
}
