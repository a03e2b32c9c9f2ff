/** What the server sends: goldlabel.scenes as JSON. */
export type Json = Record<string, any>;

export interface Row {
  example: number;
  id: string;
  score: number;
  status: "undecided" | "decided" | "conflict";
  given: string;
  suggested: string;
  kind: string;
  findings: number;
}

export interface Span { first: number; stop: number; label: string }
export interface Box {
  part: number; label: string; x1: number; y1: number; x2: number; y2: number;
  role: "given" | "suggested";
}
export interface Region {
  part: number; x: number; y: number; width: number; height: number;
  outline: [number, number][][];
}
export interface Switch {
  part: number; name: string; given: boolean | null; suggested: boolean | null;
  probability: number | null;
}
export interface Vote { part: number; annotator: string; label: string; quality: number | null }

export type Block =
  | { type: "text"; text: string }
  | { type: "fields"; rows: [string, string][]; marked: string[] }
  | { type: "pieces"; words: string[]; gaps: string[]; spans: Span[] }
  | { type: "picture"; name: string; width: number; height: number; upright: boolean; caption: string }
  | { type: "layer"; name: string; caption: string; kind: "given" | "suggested" | "difference" }
  | { type: "votes"; rows: Vote[] };

interface Asked {
  parts: number[]; name: string; kind: string; reason: string;
  score: number | null; confidence: number | null; given: string; suggested: string; action: string;
}
export type Choice = Asked & { type: "choice"; alternatives: [string, number | null][] };
export type Switches = Asked & { type: "switches"; items: Switch[]; labels: [string, string] };
export type NumberAsked = Asked & { type: "number"; low: number | null; high: number | null; unit: string };
export type Spans = Asked & {
  type: "spans"; first: number; stop: number; spans_given: Span[]; spans_suggested: Span[];
  labels: string[];
};
export type Shapes = Asked & { type: "shapes"; boxes: Box[]; others: Box[]; labels: string[] };
export type Regions = Asked & { type: "regions"; regions: Region[]; labels: string[]; paints: boolean };
export type Question = Choice | Switches | NumberAsked | Spans | Shapes | Regions;

export interface Scene { example: number; id: string; blocks: Block[]; questions: Question[] }
export interface Given { verdict: string; label: string | null; change: Json | null; reviewer: string; seq: number }
export interface Loaded { scene: Scene; answers: Given[][]; row: Row }
export interface Progress { undecided: number; decided: number; conflict: number; changed: number }
export interface State {
  dataset: string; folder: string; task: string; examples: number; flagged: number;
  classes: string[]; numeric: boolean; kinds: Record<string, number>;
  reviewers: { reviewer: number; name: string; expert: boolean }[]; reviewer: number | null;
  read_only: boolean; changed: string[]; can_export: boolean; out: string | null; ready: boolean;
  problem: null | { where: string; what: string; fix: string }; progress: Progress; seq: number;
}
export interface Answer {
  verdict: "accept" | "keep" | "set" | "unsure" | "ask" | "skip" | "unusable";
  label?: string; switches?: Record<string, boolean>; spans?: [number, number, string][];
  box?: [number, number, number, number]; remove?: boolean;
}
