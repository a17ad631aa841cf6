package kvasir.vmm.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** A driver by hand, against Virtual I/O Device Version 1.2. */
final class VirtioTest {
    private static final long BASE = 0xd000_0000L;
    private static final int DESCRIPTORS = 0x1000;
    private static final int AVAILABLE = 0x2000;
    private static final int USED = 0x3000;
    private static final int BUFFERS = 0x4000;

    private final ByteBuffer memory = ByteBuffer.allocate(0x8000).order(ByteOrder.LITTLE_ENDIAN);
    private boolean raised;

    private final GuestRam ram = new GuestRam() {
        @Override
        public byte[] read(long gpa, int bytes) {
            return Arrays.copyOfRange(memory.array(), (int) gpa, (int) gpa + bytes);
        }

        @Override
        public void write(long gpa, byte[] content) {
            memory.put((int) gpa, content);
        }
    };

    private VirtioMmio started(VirtioDevice device) {
        var window = new VirtioMmio(0, high -> raised = high, ram, device);
        window.writeMemory(BASE + 0x70, 4, 0);
        window.writeMemory(BASE + 0x70, 4, 3);
        for (int queue = 0; queue < device.queues(); queue++) {
            window.writeMemory(BASE + 0x30, 4, queue);
            window.writeMemory(BASE + 0x38, 4, 8);
            window.writeMemory(BASE + 0x80, 4, DESCRIPTORS + 0x100L * queue);
            window.writeMemory(BASE + 0x90, 4, AVAILABLE + 0x100L * queue);
            window.writeMemory(BASE + 0xa0, 4, USED + 0x100L * queue);
            window.writeMemory(BASE + 0x44, 4, 1);
        }
        window.writeMemory(BASE + 0x70, 4, 0xf);
        return window;
    }

    private void descriptor(int queue, int index, long gpa, int bytes, int flags, int next) {
        int at = DESCRIPTORS + 0x100 * queue + 16 * index;
        memory.putLong(at, gpa)
                .putInt(at + 8, bytes)
                .putShort(at + 12, (short) flags)
                .putShort(at + 14, (short) next);
    }

    private void offer(VirtioMmio window, int queue, int head) {
        int available = AVAILABLE + 0x100 * queue;
        int index = memory.getShort(available + 2);
        memory.putShort(available + 4 + 2 * (index % 8), (short) head).putShort(available + 2, (short) (index + 1));
        window.writeMemory(BASE + 0x50, 4, queue);
    }

    /** A block request: the header, 512 bytes of data, the status byte. */
    private int request(VirtioMmio window, int type, long sector, boolean write) {
        memory.putInt(BUFFERS, type).putLong(BUFFERS + 8, sector).put(BUFFERS + 0x300, (byte) 0x77);
        descriptor(0, 0, BUFFERS, 16, 1, 1);
        descriptor(0, 1, BUFFERS + 0x100, 512, write ? 1 : 3, 2);
        descriptor(0, 2, BUFFERS + 0x300, 1, 2, 0);
        offer(window, 0, 0);
        return memory.get(BUFFERS + 0x300);
    }

    @Test
    void theWindowTellsWhatItIs() {
        var window = started(new VirtioBlock(new byte[1000]));
        assertEquals(0x7472_6976, window.readMemory(BASE, 4));
        assertEquals(2, window.readMemory(BASE + 4, 4));
        assertEquals(2, window.readMemory(BASE + 8, 4));
        window.writeMemory(BASE + 0x14, 4, 1);
        assertEquals(1, window.readMemory(BASE + 0x10, 4), "VIRTIO_F_VERSION_1");
        window.writeMemory(BASE + 0x30, 4, 1);
        assertEquals(0, window.readMemory(BASE + 0x34, 4), "there is no second queue");
        assertEquals(2, window.readMemory(BASE + 0x100, 8), "capacity in sectors");
    }

    @Test
    void theDiskReadsWhatWasWrittenAndRefusesWhatIsBehindItsEnd() {
        var window = started(new VirtioBlock(new byte[1024]));
        memory.put(BUFFERS + 0x100, (byte) 0x5a);
        assertEquals(0, request(window, 1, 1, true));
        assertTrue(raised);
        assertEquals(1, memory.getShort(USED + 2));
        assertEquals(1, memory.getInt(USED + 8), "the status byte alone was written");
        window.writeMemory(BASE + 0x64, 4, 1);
        assertFalse(raised);
        memory.put(BUFFERS + 0x100, (byte) 0);
        assertEquals(0, request(window, 0, 1, false));
        assertEquals(0x5a, memory.get(BUFFERS + 0x100));
        assertEquals(513, memory.getInt(USED + 4 + 8 + 4));
        assertEquals(1, request(window, 0, 2, false));
        assertEquals(1, request(window, 0, -1, false));
        assertEquals(1, request(window, 0, Long.MAX_VALUE, false));
        assertEquals(2, request(window, 99, 0, false));
    }

    @Test
    void aSuppressedInterruptStaysAway() {
        var window = started(new VirtioBlock(new byte[1024]));
        memory.putShort(AVAILABLE, (short) 1);
        assertEquals(0, request(window, 0, 0, false));
        assertFalse(raised);
    }

    @Test
    void aChainThatLoopsEnds() {
        var window = started(new VirtioConsole(_ -> {}));
        descriptor(1, 0, BUFFERS, 1, 1, 0);
        offer(window, 1, 0);
        assertEquals(1, memory.getShort(USED + 0x102));
    }

    /** The first outputs of SplitMix64 from seed 0, as its authors publish them: e220a8397b1dcdaf, 6e789e6aa1b965f4. */
    @Test
    void entropyComesFromItsSeed() {
        var window = started(new VirtioRng(0));
        descriptor(0, 0, BUFFERS, 2, 2, 0);
        offer(window, 0, 0);
        assertEquals("aff4", HexFormat.of().formatHex(ram.read(BUFFERS, 2)));
    }

    @Test
    void thePeerAnswersArpAndPing() {
        var peer = new EchoPeer();
        byte[] asked = HexFormat.of()
                .parseHex("ffffffffffff" + "525400123456" + "0806" + "0001" + "0800" + "06" + "04" + "0001"
                        + "525400123456" + "0a00020f" + "000000000000" + "0a000202");
        assertEquals(
                "525400123456" + "52550a000202" + "0806" + "0001" + "0800" + "06" + "04" + "0002" + "52550a000202"
                        + "0a000202" + "525400123456" + "0a00020f",
                HexFormat.of().formatHex(peer.answer(asked).orElseThrow()));
        byte[] ping = HexFormat.of()
                .parseHex("52550a000202" + "525400123456" + "0800" + "4500001c" + "00010000" + "400162cd" + "0a00020f"
                        + "0a000202" + "0800" + "f7fd" + "00010001");
        byte[] pong = peer.answer(ping).orElseThrow();
        assertEquals("0a0002020a00020f", HexFormat.of().formatHex(pong, 26, 34));
        assertEquals("0000fffd00010001", HexFormat.of().formatHex(pong, 34, 42));
        ping[33] = 3;
        assertTrue(peer.answer(ping).isEmpty(), "10.0.2.3 is nobody");
        assertTrue(peer.answer(new byte[3]).isEmpty());
    }

    @Test
    void whatIsSentComesBackOnceThereIsABuffer() {
        var window = started(new VirtioNet());
        byte[] asked = HexFormat.of()
                .parseHex("00".repeat(12) + "ffffffffffff" + "525400123456" + "0806" + "0001080006040001"
                        + "525400123456" + "0a00020f" + "000000000000" + "0a000202");
        memory.put(BUFFERS, asked);
        descriptor(1, 0, BUFFERS, asked.length, 0, 0);
        offer(window, 1, 0);
        assertEquals(0, memory.getShort(USED + 2), "no buffer yet");
        descriptor(0, 0, BUFFERS + 0x800, 1526, 2, 0);
        offer(window, 0, 0);
        assertEquals(asked.length, memory.getInt(USED + 8));
        assertEquals(1, memory.getShort(BUFFERS + 0x800 + 10), "num_buffers");
        assertEquals(2, memory.get(BUFFERS + 0x800 + 12 + 21), "an ARP reply");
    }

    @Test
    void aSnapshotHoldsTheDisk() {
        var device = new VirtioBlock(new byte[512]);
        var window = started(device);
        Runnable back = window.checkpoint();
        memory.put(BUFFERS + 0x100, (byte) 1);
        assertEquals(0, request(window, 1, 0, true));
        back.run();
        memory.putShort(AVAILABLE + 2, (short) 0);
        assertEquals(0, request(window, 0, 0, false));
        assertArrayEquals(new byte[512], ram.read(BUFFERS + 0x100, 512));
    }

    @Test
    void whatIsTypedWaitsForABuffer() {
        var device = new VirtioConsole(_ -> {});
        var window = started(device);
        device.type(new byte[] {'h', 'i', '!'});
        window.arrived();
        assertEquals(0, memory.getShort(USED + 2), "no buffer yet");
        descriptor(0, 0, BUFFERS, 2, 2, 0);
        offer(window, 0, 0);
        assertEquals(2, memory.getInt(USED + 8));
        assertEquals("6869", HexFormat.of().formatHex(ram.read(BUFFERS, 2)));
        offer(window, 0, 0);
        assertEquals('!', memory.get(BUFFERS));
        assertTrue(raised);
    }

    /** Sends a packet of the socket device; each answer lands in a buffer of its own. */
    private byte[] socket(VirtioMmio window, int port, int type, int operation, int flags, byte[] data, int room) {
        memory.putLong(BUFFERS, 42)
                .putLong(BUFFERS + 8, 2)
                .putInt(BUFFERS + 16, 1000)
                .putInt(BUFFERS + 20, port)
                .putInt(BUFFERS + 24, data.length)
                .putShort(BUFFERS + 28, (short) type)
                .putShort(BUFFERS + 30, (short) operation)
                .putInt(BUFFERS + 32, flags)
                .putInt(BUFFERS + 36, room)
                .putInt(BUFFERS + 40, 0);
        memory.put(BUFFERS + 44, data);
        descriptor(0, 0, BUFFERS + 0x800, 64, 2, 0);
        offer(window, 0, 0);
        descriptor(1, 0, BUFFERS, 44 + data.length, 0, 0);
        offer(window, 1, 0);
        return ram.read(BUFFERS + 0x800, 64);
    }

    private static int operation(byte[] packet) {
        return packet[30];
    }

    @Test
    void theHostEchoesWithinTheGuestsCreditAndEndsAfterTheGuest() {
        var window = started(new VirtioVsock(42));
        assertEquals(42, window.readMemory(BASE + 0x100, 8), "guest_cid");
        byte[] response = socket(window, 7, 1, 1, 0, new byte[0], 3);
        assertEquals(2, operation(response), "VIRTIO_VSOCK_OP_RESPONSE");
        assertEquals(
                "0200000000000000" + "2a00000000000000" + "07000000" + "e8030000",
                HexFormat.of().formatHex(response, 0, 24));
        byte[] echo = socket(window, 7, 1, 5, 0, new byte[] {1, 2, 3, 4}, 3);
        assertEquals(5, operation(echo), "VIRTIO_VSOCK_OP_RW");
        assertEquals(3, echo[24], "the guest has room for three");
        assertEquals("010203", HexFormat.of().formatHex(echo, 44, 47));
        byte[] rest = socket(window, 7, 1, 6, 0, new byte[0], 8);
        assertEquals("04", HexFormat.of().formatHex(rest, 44, 45));
        assertEquals(4, rest[40], "fwd_cnt: all four have been taken");
        assertEquals(4, operation(socket(window, 7, 1, 4, 2, new byte[0], 8)), "VIRTIO_VSOCK_OP_SHUTDOWN");
        assertEquals(3, operation(socket(window, 7, 1, 4, 3, new byte[0], 8)), "VIRTIO_VSOCK_OP_RST");
    }

    @Test
    void whereNobodyListensTheConnectionIsReset() {
        var window = started(new VirtioVsock(3));
        assertEquals(3, operation(socket(window, 8, 1, 1, 0, new byte[0], 64)));
        assertEquals(3, operation(socket(window, 7, 2, 1, 0, new byte[0], 64)), "SOCK_SEQPACKET");
        assertEquals(3, operation(socket(window, 7, 1, 5, 0, new byte[1], 64)), "no connection");
    }
}
