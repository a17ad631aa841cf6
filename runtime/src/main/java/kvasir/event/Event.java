package kvasir.event;

/** One thing that happened in the machine. Implementations are immutable records in the room that raises them. */
public interface Event {
    /** What the event is about; {@link Topic#none()} when it is about no address. */
    Topic topic();

    /** One line for a person, in the field's own words: {@code spte ept[0x1000] 4K 0x8000000000000000 -> 0x8600...}. */
    String describe();
}
