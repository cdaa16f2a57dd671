// What a Java object stream holds, as plain nodes: nothing of Java is loaded or run to make them. Objects keep their
// fields apart by the class that declares them, for a subclass may have a field of the same name. Handles become shared
// references, so a graph may have cycles: walk it with a bound.

/** byte, short, int, float and double are numbers; long is a bigint; char is a text of one unit. */
export type JavaPrimitive = boolean | number | bigint | string

export type JavaValue =
  | null
  | JavaPrimitive
  | JavaObject
  | JavaArray
  | JavaEnum
  | JavaClassObject
  | JavaClass

/** What a class wrote by itself, beside its fields: values, and bytes in blocks. */
export type JavaContent = JavaValue | JavaBlock

export interface JavaBlock {
  readonly kind: 'block'
  readonly bytes: Buffer
}

/** A class as the stream describes it. */
export interface JavaClass {
  readonly kind: 'class'
  readonly name: string
  /** undefined for a proxy, which has none. */
  readonly serialVersionUid: bigint | undefined
  readonly externalizable: boolean
  readonly fields: readonly JavaField[]
  readonly superclass: JavaClass | null
  /** Of a dynamic proxy; its name is then `java.lang.reflect.Proxy`. */
  readonly interfaces: readonly string[]
  readonly annotations: readonly JavaContent[]
}

export interface JavaField {
  readonly name: string
  /** The letter of the type as in class files; of objects and arrays `L…;` and `[…`. */
  readonly type: string
}

export interface JavaObject {
  readonly kind: 'object'
  readonly className: string
  readonly class: JavaClass
  /** One part for each class of the chain that is in the stream, the uppermost first. */
  readonly parts: readonly JavaPart[]
}

/** What one class of the chain put into an object. */
export interface JavaPart {
  readonly className: string
  readonly fields: ReadonlyMap<string, JavaValue>
  readonly annotations: readonly JavaContent[]
}

export interface JavaArray {
  readonly kind: 'array'
  /** `[Ljava.lang.String;`, `[I`; an array of bytes has its items as a Buffer. */
  readonly className: string
  readonly items: readonly JavaValue[] | Buffer
}

export interface JavaEnum {
  readonly kind: 'enum'
  readonly className: string
  readonly constant: string
}

/** An object of type `java.lang.Class`. */
export interface JavaClassObject {
  readonly kind: 'classObject'
  readonly class: JavaClass
}

/** The names of a class and of those above it that can be serialised, itself first. */
export function classNames(of: JavaClass): string[] {
  const names: string[] = []
  for (let at: JavaClass | null = of; at !== null; at = at.superclass) names.push(at.name)
  return names
}

/** The part of an object that the class `className` wrote. */
export function partOf(object: JavaObject, className: string): JavaPart | undefined {
  return object.parts.find(part => part.className === className)
}

/** A field by its name, of the lowest class that declares it; undefined if none does. */
export function fieldOf(object: JavaObject, name: string): JavaValue | undefined {
  for (let i = object.parts.length - 1; i >= 0; i--) {
    const value = object.parts[i]!.fields.get(name)
    if (value !== undefined) return value
  }
  return undefined
}

export function isObject(value: JavaContent | undefined): value is JavaObject {
  return typeof value === 'object' && value !== null && value.kind === 'object'
}
