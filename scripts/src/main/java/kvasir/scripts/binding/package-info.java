/**
 * How scripts reach the registry: names are looked up, arguments matched with parameters, values checked and written.
 * Both the KVS interpreter and the JavaScript binding come through here, so both refuse the same things in the same
 * words.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>member</b>: an operation or property of an object, by name.
 *   <li><b>argument plan</b>: which argument of a call goes to which parameter, decided from names alone.
 *   <li><b>refusal</b>: why a value or a name will not do, with the way out.
 * </ul>
 */
@NullMarked
package kvasir.scripts.binding;

import org.jspecify.annotations.NullMarked;
