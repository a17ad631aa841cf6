package kvasir.vmm.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * QEMU's firmware configuration device on ports 510h (selector) and 511h (data), without DMA (QEMU's
 * docs/specs/fw_cfg).
 */
public final class FwCfg implements PortDevice {
    private static final int SELECTOR = 0x510;
    private static final int DATA = 0x511;
    private static final int SIGNATURE = 0x00;
    private static final int INTERFACE = 0x01;
    private static final int RAM_SIZE = 0x03;
    private static final int CPUS = 0x05;
    private static final int MAX_CPUS = 0x0f;
    private static final int FILE_DIRECTORY = 0x19;
    private static final int FIRST_FILE = 0x20;
    private static final int NAME_BYTES = 56;

    private final Map<Integer, byte[]> items = new TreeMap<>();
    private final List<String> files = new ArrayList<>();
    private int selected;
    private int offset;

    /**
     * @param memory bytes of guest memory
     * @param cpus number of vCPUs
     */
    public FwCfg(long memory, int cpus) {
        items.put(SIGNATURE, "QEMU".getBytes(StandardCharsets.US_ASCII));
        items.put(INTERFACE, new byte[] {1, 0, 0, 0});
        items.put(RAM_SIZE, little(8).putLong(memory).array());
        items.put(CPUS, little(2).putShort((short) cpus).array());
        items.put(MAX_CPUS, little(2).putShort((short) cpus).array());
        publishDirectory();
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Adds a named file of at most 55 ASCII characters. */
    public void file(String name, byte[] content) {
        items.put(FIRST_FILE + files.size(), content.clone());
        files.add(name);
        publishDirectory();
    }

    private void publishDirectory() {
        var directory = ByteBuffer.allocate(4 + files.size() * (8 + NAME_BYTES));
        directory.putInt(files.size());
        for (int i = 0; i < files.size(); i++) {
            byte[] name = files.get(i).getBytes(StandardCharsets.US_ASCII);
            directory.putInt(item(FIRST_FILE + i).length);
            directory.putShort((short) (FIRST_FILE + i));
            directory.putShort((short) 0);
            directory.put(java.util.Arrays.copyOf(name, NAME_BYTES));
        }
        items.put(FILE_DIRECTORY, directory.array());
    }

    private byte[] item(int key) {
        return items.getOrDefault(key, new byte[0]);
    }

    @Override
    public boolean owns(int port) {
        return port == SELECTOR || port == DATA;
    }

    @Override
    public int read(int port, int bytes, long now) {
        if (port == SELECTOR) {
            return selected;
        }
        byte[] content = item(selected);
        return offset < content.length ? content[offset++] & 0xff : 0;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        if (port == SELECTOR && bytes == 2) {
            selected = value & 0xffff;
            offset = 0;
        }
    }

    @Override
    public Runnable checkpoint() {
        var savedItems = Map.copyOf(items);
        var savedFiles = List.copyOf(files);
        int savedSelected = selected;
        int savedOffset = offset;
        return () -> {
            items.clear();
            items.putAll(savedItems);
            files.clear();
            files.addAll(savedFiles);
            selected = savedSelected;
            offset = savedOffset;
        };
    }
}
