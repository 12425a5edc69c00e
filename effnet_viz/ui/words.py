"""The words of the pages: labels, buttons, hints, help. Sentences about results stand beside them.

What somebody reads is here, in one language; what the program computes is elsewhere.
"""

from __future__ import annotations

from typing import Any

BROWSER: dict[str, Any] = {
    # An object of one's own
    "cutter": {
        "tool": "Tool",
        "box": "Box",
        "thing": "Object brush",
        "ground": "Background brush",
        "brush": "Width",
        "undo": "Undo",
        "again": "Start again",
        "box_hint": "Draw a box around the object, a little larger than it.",
        "cut_hint": "Is something missing, or too much? Take a brush, or draw another box.",
        "thing_hint": "Paint over what is missing.",
        "ground_hint": "Paint over what does not belong to the object.",
        "box_keys": "Keys: arrows move the box, with Shift its corner, Enter cuts.",
        "brush_keys": "Keys: arrows move the brush, Enter paints.",
    },
    # Pictures and what stands under them
    "maps": "Maps",
    "picture": "Picture",
    "photograph": "Photograph",
    "save": "Save",
    "save_picture": "Save as a picture, with all that it shows",
    "right": "right",
    "wrong": "wrong",
    "colour_bar": "Colours from",
    "stronger": "Stronger than {percent} % of this map",
    "not_seen": "not seen by the network",
    "why": "Why?",
    "care": "Read with care",
    "nothing_for": "Dark: nothing here speaks for this class",
    "dark": "Dark, to be comparable: strongest {strongest} of {high}",
    # How to look
    "how_to_look": "How to look",
    "opacity": "Opacity",
    "show": "Show",
    "evidence": [
        ["positive", "For", "Only what speaks for the class"],
        ["signed", "For and against", "Also what speaks against the class"],
    ],
    "brightness": "Brightness",
    "scales": [
        [
            "own",
            "Each alone",
            "Each map uses all colours: shapes are clear, brightness cannot be compared",
        ],
        ["shared", "Comparable", "Equal colours mean equal evidence in all maps in one unit"],
        ["fixed", "Locked", "As it is now, also for the next class, photograph or network"],
    ],
    "more": "More",
    "opacity_brightness": "Opacity, brightness",
    "colours": "Colours",
    "threshold": "Hide below",
    "off": "off",
    "contours": "Contours",
    "contours_title": "Lines at 25, 50 and 75 % of the scale",
    "divider": "Divider",
    "divider_title": "Photograph on the left, map on the right: drag the line",
    "true_grid": "True grid",
    "true_grid_title": "The values that the map really has; smooth edges come from enlarging them",
    "whole_photograph": "Whole photograph",
    "whole_title": "All of the photograph; what the network could not see is hatched (key W)",
    "hold_photograph": "Hold: photograph",
    "hold_title": "Hold to see the bare photograph (key H)",
    "zoom": "Zoom",
    "zoom_out": "Zoom out (key −)",
    "zoom_in": "Zoom in (key +)",
    "zoom_all": "Show all (key 0)",
    "all": "All",
    "keys": "Keys",
    "key_list": [
        ["← ↑ → ↓", "from cell to cell, when a picture has the focus"],
        ["Enter or click", "pin the place; again to let go"],
        ["H, held", "the bare photograph"],
        ["W", "the whole photograph, or the square that the network saw"],
        ["B, held", "the map before a part was covered"],
        ["+ − 0", "zoom in, out, all; or Ctrl and the wheel, a double click, two fingers"],
        ["Shift and ← ↑ → ↓", "move the outlined object, or pull the covered part"],
        ["P", "present; Esc leaves"],
    ],
    "stage": "Stage",
    "stage_of_grad_cam": "Stage of Grad-CAM",
    "method": "Method",
    "on_demand": "Take a while",
    "play": "Play all stages, or stop",
    "fine": "fine",
    "coarse": "coarse",
    # Covering a part
    "cover": "Cover",
    "cover_title": "Blur a part of the photograph and see how the answer changes",
    "covered_part": "Covered part: arrow keys move it, with Shift they change its size",
    "cover_hint": "Draw anywhere; drag the box to move it, or use the arrow keys",
    "blur": "Blur",
    "this_part": "This part",
    "all_but_this": "All but this",
    "remove_box": "Remove the box",
    # The sheet of a phone
    "sheet": "Class, stage, look",
    "class": "Class",
    "look": "Look",
    "stages_hint": "Early stages are fine and noisy, late ones coarse and sure.",
    # The strip
    "to_the_maps": "To the maps",
    "pages": "Pages",
    "photo": "Photo",
    "add_title": "Add photographs of your own",
    "or_drop": "or drop, or paste",
    "drop_here": "Drop it to see what the network looks at",
    "sending": "Sending",
    "bringing_back": "Bringing your photographs back …",
    "not_sent": "It did not reach the server. Check the connection and add it again.",
    "remove": "Remove this photograph",
    "forget": "Forget my photographs",
    "forget_title": "Remove all photographs of your own, here and from this browser",
    "close": "Close",
    "camera": "Camera",
    "camera_asks": "Your browser asks whether this page may use the camera.",
    "no_camera": "This browser gives no camera to this page. Add a photograph instead.",
    "take": "Take a photograph",
    "cancel": "Cancel",
    "share": "Share",
    "share_title": "A link to what you see, also as a code for phones",
    "settings": "Settings",
    "present": "Present",
    "present_title": "Only pictures and answers, in large type (key P)",
    "exit": "Exit",
    # Channels
    "point_for_channels": "Point at a map above to see which channels are strongest there.",
    "strongest_here": "Strongest at this place:",
    "on_other_pages": "those not outlined are on other pages",
}
"""What the program in the browser writes (effnet_viz.ui.front_end)."""

PAGES = {
    "app.py": ("Explain an image", "What one network sees in one photograph"),
    "pages/compare_scaling.py": (
        "Compare scaling",
        "One photograph, networks scaled by depth, width, resolution or all three",
    ),
    "pages/methods.py": ("Methods", "Thirty ways to explain one answer, and which to trust"),
    "pages/mistakes.py": (
        "Mistakes",
        "What a network that you have trained goes by: the thing, or a shortcut",
    ),
    "pages/scaling_lab.py": (
        "Scaling lab",
        "Drag an object and watch networks of different scale find it",
    ),
    "pages/scaling_rules.py": ("Scaling rules", "How B0 grows into B7, with sliders"),
    "pages/models.py": ("Models", "All networks: what is ready here, what has to be downloaded"),
}
"""Title and a line on each page, by its file."""

SHARE_TITLE = "Share what you see"
SHARE_OWN = (
    "Your own photograph is not in the link: it never leaves this computer's memory. Others see "
    "a sample in its place."
)
SHARE_CHECKPOINT = (
    "Your own checkpoint is not in the link, only its key: it stays with this tab. Others see the "
    "default model in its place."
)
SHARE_CODE = "A phone in the same network opens it with its camera."
SHARE_HERE_ONLY = (
    "Only this computer reaches the app now. To open it to a class in the local network, start it "
    "with `make app SHARE=1` or `effnet-viz serve --share`."
)
SHARE_NO_ADDRESS = (
    "This computer's address in the local network was not found: look into its network settings "
    "and put it in place of the name in the link."
)

NOT_BROUGHT_BACK = (
    "Your photograph did not come back after the page was loaded again. Here is a sample instead; "
    "add the photograph again to see it."
)
LINK_TO_UPLOAD = (
    "The photograph of this link was somebody's own, and those are never part of a link. Here is a "
    "sample instead; add the photograph again to see it."
)

# The main page
POINT = "Point at a map to read it"
HOLD_B = "Hold B for the map before"
ANSWER_FOLLOWS = "The answer follows while you draw"
FETCHING = "Fetching your photographs from this browser …"
LOOKING_AT = "{name} is looking at the image …"
LOADING = "Loading {name} …"
OWN_PHOTOGRAPHS = "Photographs of your own"
LEADS_ON = "Compare this photograph across scalings"
ANOTHER_CLASS = "Explain another class"
ANOTHER_OF = "Another of {count} classes"
EXPLAIN_A_CLASS = "Explain a class"
PHOTOGRAPH = "Photo"
WEAK = "Weak evidence"
ONE_BRIGHTNESS = "Show both at one brightness"
TICK = "A tick marks the share before the part was covered."
BLURRED = "{percent} % of what it saw is blurred"
UNTRAINED_ANSWERS = "Untrained: random weights. These answers and maps mean nothing."
SAW_PART = "It saw the square: {percent} % of the photograph."
SAW_ALL = "It saw all of the photograph."
HOLD_H = "Hold <kbd>H</kbd> for the bare picture."
NARROW = "The photograph is so narrow that only its middle is shown."
SAME_MAP = "same map as CAM, {label}"
WHY_SAME_MAP = (
    "At the last stage both maps are the same: the gradient there is the weight that the class "
    "gives to a channel, divided by the number of cells. Grad-CAM is multiplied by its number of "
    "cells at every stage, so both maps are in units of the class's score."
)
PRESENTING_ONE = "← → stage · ↑ ↓ network · H photograph · Esc leaves"
STAGES = "Stage by stage"
STAGES_LINE = "What each stage responds to; choose one for Grad-CAM and its channels"
CHANNELS = "Channels of stage {stage}"
CHANNELS_LINE = "Each finds one pattern; choose one to see it over the photograph"
SORT_CHANNELS = "Sort channels by"
SORT_CHANNELS_HELP = (
    "Influence on the class is gradient × activation, summed over the grid, in units of the score. "
    "At the last stage it is exact: the channel's mean activation times the weight that the class "
    "gives to it; all channels and a constant add up to the score. At earlier stages it is an "
    "estimate."
)
ONE_CHANNEL = "Channel {channel} of stage {stage}"
DETAILS = "Details"
DETAILS_TARGET = (
    "The maps explain **{label}**: its guess number {rank} of {count}, score (logit) {logit}. The "
    "logit is the score of a class before the scores of all classes are turned into probabilities."
)
SAVE_NPZ = "Numbers for NumPy (NPZ)"
SAVE_JSON = "Numbers for everything else (JSON)"
PROVENANCE = "Model, weights, preprocessing, versions"
HOW_TO_READ = {
    "How to read the class activation map (CAM)": """
The last stage divides the image into a coarse grid, and this map shows how much the content of each
cell raised the score of the class: colours from the right end of the bar spoke for it; with *For
and against*, colours from the left end against it. The average of all cells, plus a constant, *is*
the score. The map has only as many values as the grid has cells; the smooth edges come from
enlarging it.
""",
    "How to read Grad-CAM": """
Grad-CAM asks, at the stage you choose: if a channel became a little more active, how much would the
score of this class rise? It weights every channel by that number and adds the channels up, so
colours from the right end of the bar mark patterns that speak for the class. Early stages give fine
but noisy maps of edges and textures, late stages coarse maps of objects; at the last stage it is
the class activation map.
""",
    "What the network saw of the photograph": """
The network never sees the whole photograph. Its shorter side is scaled to a fixed length and a
square is cut from the middle; only that square went in. What lies outside it cannot have influenced
the result.
""",
    "What covering a part shows": """
A part is blurred, and the network looks again. A blurred part still shows its colours, and blur
itself is something a network may react to.
""",
    "How to read stages and channels": """
A network is a row of stages, and each passes a smaller but richer picture on to the next. Every
tile of a stage shows where its channels are active on average, whatever the class: yellow is
strong, dark blue is weak. Early stages follow edges, late stages whole objects. Every channel is a
detector of one pattern, and its tile shows where it found that pattern. Yellow is the strongest
place of this tile, or of the whole stage when brightness is comparable. The number under it is its
largest value, or its influence on the class: positive speaks for it.
""",
}

# Scaling rules and Models
GROW = (
    "A network grows by layers (depth), channels (width) or pixels (resolution). EfficientNet "
    "grows all three by one rule: φ says how many steps, α, β and γ how much of each a step takes."
)
PRESETS = ("All three (the paper)", "Depth only", "Width only", "Resolution only")
PHI = "φ: how many steps"
ALPHA = "α: depth per step"
BETA = "β: width per step"
GAMMA = "γ: resolution per step"
COMPARE_THIS = "Compare this network with others"
DRAWN_SCALE = (
    "One scale from B0 to the paper's rule at φ = 7: four times the grid's side is twice as high, "
    "four times the channels are twice as wide; layers lie one behind the other. Dotted: B0."
)
DRAWN_SMALLER = "To fit, {what} at 1/{times} of that."
BUILT = "What the rule asks and what is built"
BUILT_LINE = "Beside B0 and the published model whose multiply-adds are closest"
ROUNDED = "Why the built network is not just the rule's answer"
FAMILY = "The rule and the published models"
FAMILY_LINE = "What the rule gives at the same multiply-adds, and what the authors used"
TABLE_1 = "Stage by stage"
TABLE_1_LINE = "Any model as the paper's Table 1"
MODEL = "Model"
SCALING_BUYS = "What scaling buys: published accuracy against cost"
COST_IN = "Cost in"
RULE_HELP = """
A network can grow along three axes: **depth** (more layers), **width** (more channels) and
**resolution** (a larger image). Compound scaling grows all three together. α, β and γ say how much
of each one step takes, φ says how many steps.

Twice the layers cost twice the multiply-adds. Twice the channels, or twice the side of the image,
cost four times as many. So one step multiplies the cost by α·β²·γ². The paper keeps that near 2:
then φ steps cost about 2 to the power of φ times as much. It found α = 1.2, β = 1.1 and γ = 1.15 by
trying values at φ = 1 (Section 3.3).
"""
ROUNDING_HELP = """
A stage cannot have 35.2 channels or 1.4 layers. Channels go to the nearest multiple of 8, which
hardware likes, but never down by more than 10 %. Layers go up to the next whole number; stages 1
and 9 always have one. So a small change of a slider may change nothing, and another a lot.
"""
FAMILY_HELP = """
“Rule” is what the sliders above give at the φ that costs as many multiply-adds as the published
model; “used” is what the authors took. The paper names no φ for B1 to B7. With its own α, β and γ,
B2 has just the width and depth that the rule gives at φ = 1, and B1 is a smaller step before it.
"""
TABLE_1_HELP = """
The **receptive field** is the square of input pixels that one cell can see through convolutions. It
may be larger than the image: then every cell sees all of it, the one in the corner too.
Squeeze-and-excitation (in B0 to B7, not in Lite) also multiplies channels by averages over the
whole image.
"""
ACCURACY_HELP = """
Further up is better, further left is cheaper; each step of the lower axis from 1 to 10 is ten times
the cost. Point at a mark to see its source. The vertical line is your scale: its cost is computed,
but its accuracy would have to be measured, and nobody has.

Compare within one series only. The paper's models, torchvision's and Lite were trained differently;
torchvision's B0 to B4 and B5 to B7 come from two different releases.
"""
MODELS_LINE = (
    "Within one recipe, models differ only in scale: width (channels), depth (layers) and "
    "resolution (pixels). Compare across scale within one recipe: others were also trained "
    "differently."
)
PREPROCESSING = "Preprocessing, weight files and sources of the figures"
RUN_THE_UNTRAINED = "Untrained"
RUN_THE_UNTRAINED_HELP = (
    "The same architecture with random weights. Its predictions and maps mean nothing: compare "
    "with them to see what training adds."
)
USE_READY = "Use {name}, which is ready"
RUN_THIS_UNTRAINED = "Run {name} untrained"
RUN_THIS_UNTRAINED_HELP = (
    "Random weights: predictions and maps mean nothing, and say so everywhere."
)
FIND_MODEL = (
    "{count} models. Type a few letters to find one: B3, AdvProp, NoisyStudent, ResNet. Those that "
    "are ready come first."
)
CHECKPOINT = "Your own checkpoint"
CHECKPOINT_ACCEPTED = (
    "An EfficientNet of torchvision, timm, EfficientNet-PyTorch, Composer or Keras, with classes "
    "of its own, in a file of up to {megabytes} MB. It stays in the memory of the computer that "
    "runs the app, for this tab alone: a reload closes it."
)
CHECKPOINT_WEIGHTS = "Weights"
CHECKPOINT_CLASSES = "Labels: one a line, or JSON"
READING_FILE = "Reading {name} …"
CHECKPOINT_OPEN = "{name} is open."
CLOSE_CHECKPOINT = "Close it"
CHECKPOINT_TOO_LARGE = (
    "{name} is too large: a checkpoint may have {megabytes} MB here. Save the network's state dict "
    "alone, without the optimizer's state."
)
CHECKPOINT_NO_MEMORY = (
    "{name} needs more memory than this machine has free. Try again later, or open a smaller one."
)
CHECKPOINT_NOT_KEPT = (
    "The checkpoint was not kept: others are being opened here right now. Add it again."
)
CHECKPOINT_LOST = (
    "The checkpoint of this address is not open here. One is held for the tab that has opened it, "
    "and a reload closes it."
)
CHECKPOINT_MADE_ROOM = (
    "{name} was closed to make room: others have opened their checkpoints, and it was not used for "
    "the longest time."
)
OPEN_AGAIN = (
    "{instead} is shown instead. Open the file again in the list of models, under “Your own "
    "checkpoint”."
)
NO_CHECKPOINTS = "{instead} is shown instead. Whoever runs the app allows no checkpoints here."
OTHER_FIGURES = "Where documents say otherwise, and why"
OTHER_FIGURES_LINE = (
    "timm's older page of EfficientNets and two READMEs, beside what stands above. FLOPS on that "
    "page count a multiplication and an addition apart, so they are about twice the multiply-adds. "
    "It also lists squeeze-and-excitation and swish for EfficientNet-Lite0 and EdgeTPU: none of "
    "them has squeeze-and-excitation; Lite0 has ReLU6, EdgeTPU has ReLU."
)
RESNET_50 = "ResNet-50"
RESNET_SCALED = (
    "Scaled by one dimension, with weights of one recipe (torchvision's V1). These are not the "
    "networks of the paper's Table 3: there the deeper ResNet-50 (d = 4) needs 16.2 B "
    "multiply-adds and the wider one (w = 2) 14.7 B. Their weights were never published, nor those "
    "of a compound one."
)
NOT_RETRAINED = "same weights, not retrained"

# Mistakes
OWN_NETWORK = "Your network"
NO_OWN_NETWORKS = "What did your network learn: the wolf, or the snow?"
MAKE_A_NETWORK = """
This page looks at a network that you have trained, on pictures that it did not learn from: where it
goes wrong, what it goes by, and whether that is the thing or a shortcut. There is none here yet.

1. Put pictures into a folder with a folder for every class.
2. `effnet-viz finetune PICTURES --model lite0` trains a network and keeps its validation pictures.
3. Start the app with `EFFNET_VIZ_NETWORKS` set to the folder where that has put it.

To try it without pictures of your own, `effnet-viz lab planted PICTURES` draws some with shortcuts
hidden in them. Reload this page when the network is there.
"""
LOOKING = "Looking at {count} pictures …"
DRAWN = "{count} of its {there} pictures were looked at, an equal share of every class."
NO_MASKS = (
    "Nothing says where the thing is: put masks beside the pictures to see what lies outside of it."
)
UNREADABLE = "Left out, because they cannot be read: {count}. {name}: {reason}"
GOES_BY = "What it goes by"
GOES_BY_LINE = "Pictures of a class whose maps look alike, laid over each other"
TOO_FEW = "Nothing is said of classes with fewer than {count} pictures: add some."
CLASSES_WITHOUT_FINDING = "Classes without a finding ({count})"
SHORTCUT = "shortcut"
MEAN_PICTURE = "Mean of {count} pictures of {label}, with their mean map"
HOW_FOUND = "How this is found"
CONFUSION = "What is taken for what"
CONFUSION_ROW = "shows, taken for →"
TRAINING = "Learning curves"
NO_CURVES = "Nothing beside its weights says how this network was trained."
LOSS = "Loss"
EPOCH = "Epoch"
PHASES = {"head": "the head alone", "all": "all layers"}
CURVES_SAID = (
    "{count} epochs. The dotted line is at the one that was kept, number {best}, of {phase}: the "
    "smallest loss on the validation pictures, of which {share} were right."
)
ON_TRAINING, ON_VALIDATION = "on what it learned from", "on the validation pictures"
FOUND_HELP = """
**Groups.** The class activation maps of a class, each divided by its sum, are put into groups that
look alike by spectral clustering (spectral relevance analysis, Lapuschkin et al. 2019, arXiv
1902.10178). The pictures of a group are laid over each other: things that lie elsewhere in every
picture become a blur, and a mark that always lies in the same place stays sharp.

**Copying.** The place with half of a group's evidence is cut out of its pictures and put into
pictures of other classes. If more of these are then called the group's class than with the opposite
place (sign test, chance below 1 %), the place decides. It is called a shortcut
where most of the evidence lies outside of the thing; without masks, where most pictures of the
class look the same there (mean correlation above 0.3).

**Painting out.** Where masks say what is the thing, the box around it is filled in from its
surroundings. The surroundings are a shortcut where most pictures are still called their class, and
far more of them than of pictures of other classes (the 95 % intervals do not meet).

What is found is true of these pictures. A shortcut that is not found may be there all the same: one
that lies on the thing itself, or is spread over the whole picture, needs masks or another eye.
"""
PICTURES = "Picture by picture"
PICTURES_LINE = "Choose one to see where its evidence lies, for and against"
ORDER = "Order"
ORDERS = {
    "surest mistakes": "Surest mistakes first",
    "least sure": "Least sure first",
    "surest": "Surest first",
    "most outside the thing": "Most evidence outside of the thing first",
}
THAT_SHOW = "That show"
ALL_CLASSES = "All classes"
PAGE_OF = "Page, of {pages}"
IS = "is {label}"
WRONG = "wrong"
TILE = "A picture of {label}, taken for {said}"
TAKEN_FOR = "Taken for"
TAKEN_FOR_RIGHT = "Rightly called"
IT_IS = "It is"
RUNNER_UP = "Next guess"

# Networks
NETWORKS = {
    "baseline": "Baseline",
    "depth": "Deeper",
    "width": "Wider",
    "resolution": "Higher resolution",
    "compound": "Compound",
    "custom": "Your scale",
}
"""What a network is called on every page, by what it stands for."""

# Scaling lab: an object of one's own, experiments
OFFER_OBJECT = "Own object"
OBJECT_PICTURE = "A picture of your object"
OBJECT_PICTURE_HELP = (
    "Best is a PNG or WebP picture with a transparent background. From any other photograph, you "
    "can cut the object out here. It stays in this tab and is gone when you close it."
)
CUTTER = "Your photograph: draw a box around the object, then correct with the brushes"
CUT_OUT = "Your object, cut out"
WHAT_IS_IT = "What is it?"
WHAT_IS_IT_HELP = (
    "The answer that counts as right. Choose more than one class where more than one is right: a "
    "male sheep is “ram”, and a network may know only that word for sheep."
)
OF_CLASSES = "Search among {count} classes"
USE_OBJECT = "Use this object"
OTHER_PICTURE = "Another picture"
SAY_WHAT_IT_IS = "Say what it is first: only then can an answer be right."
HAVE_OBJECT = "Your object is in use: {what}. Choose another picture to replace it."
REMOVE_OBJECT = "Remove my object"
MANY_STROKES = (
    "These are more strokes than can be kept. Undo some, or start again with a closer box."
)
TEN_BACKGROUNDS = "Ten backgrounds"
TEN_LINE = (
    "The same scene on ten other backgrounds. A network that looks at the object keeps its answer "
    "and its map."
)
TEN_HOW = (
    "✓ and ✗ are for the network's own answer: right, if it names an object of the scene. All maps "
    "of a network have one scale. How much a map changes is 1 − r, with r the correlation of its "
    "cells with those in your scene: 0 is the same map, 1 one that has nothing in common with it."
)
HIDE_SLOWLY = "Hide it slowly"
HIDE_LINE = (
    "The same scene with more and more of the object hidden, from nothing to "
    "90\N{NO-BREAK SPACE}%. When does each network lose it, and does its evidence stay on what is "
    "still visible?"
)
HIDE_HOW = (
    "Dotted: the share of the picture that is still visible of the object. A map that is the same "
    "everywhere has as much of its evidence there, so only what lies above is more than chance."
)
RUN_EXPERIMENT = "Run it with the networks above ({count})"
ASKED_FOR = "Asked for: {thing}. Click on the other object in a picture above to ask for that one."
MAPS_OF = "Maps of"
YOUR_SCENE = "your scene"
MAP_CHANGE = "map change {change}"
ON_BACKGROUND = "Background {number}"
NAMED = {
    True: "its answer is right for the scene",
    False: "its answer is wrong for the scene",
    None: "it has no class for what is in the scene",
}
HIDDEN_OF_OBJECT = "hidden of the object"
PROBABILITY_OF_CLASS = "probability of the class"
EVIDENCE_ON_VISIBLE = "evidence on what is visible"
BY_AREA = "by chance"

# Scaling lab
LAB_LINE = "Five small networks name the drawn thing."
LAB_DRAG = "Drag it, and watch where they look."
NEW_SCENE = "New scene"
CHANGE_SCENE = "Change scene"
OWN_BACKGROUND = "Own background"
OBJECT = "Object"
ARTIST = "Artist"
ARTIST_HELP = (
    "The networks have never seen drawings by {unseen}. They learned from those of all others."
)
NO_SUCH_DRAWING = "There is no {name} by {artist} here; this one is {unseen}'s."
DRAWN_BY = (
    "Drawn by {artist}, {seen} in training. Of what lies inside the picture, {hidden} is hidden."
)
SEEN, NEVER_SEEN = "seen", "never seen"
SCENE_NUMBER = "Scene number"
SCENE_NUMBER_HELP = (
    "Decides what you do not choose: the background, which things lie around and how they are "
    "turned. The same number always gives the same scene."
)
SIZE = "Size in % of the side"
DISTRACTORS = "Distractors"
HIDDEN = "Hidden in %"
LAB_MAP = "Map"
LAB_MAP_HELP = "CAM at the last stage, or Grad-CAM at stage {stage}, in the middle of the network."
CLASS_EXPLAINED = "Class explained"
THE_OBJECT, OWN_ANSWER = "the object", "its own answer"
CLASS_EXPLAINED_HELP = (
    "What speaks for the true class, or what speaks for the class that the network answers, right "
    "or wrong."
)
BACKDROP = "Put the object on a picture of your own"
BACKDROP_HELP = (
    "The middle square of your picture is used. It stays in this computer's memory and is not in "
    "links."
)
DRAWN_BACKDROP = "Remove it"
LOADING_NETWORKS = "Loading five networks, once for all visitors. This takes some seconds …"
UNFINISHED_LAB = "The networks cannot be shown: {reason}"
ON_THE_OBJECT = "On the object {share}"
FINDS = "Which network finds the {name}?"
BENCH = "Bench"
REAL_NETWORKS, MINIATURES = "Real networks", "Five miniatures"
ONE_NETWORK = "1 network"
ONE_LOOKS, SEVERAL_LOOK = "One network looks", "{count} networks look"
BENCH_LINE = "{who} at {thing}."
BENCH_DRAG = "Drag it, and watch where they look."
BENCH_LINE_TWO = "{who} at two things."
BENCH_DRAG_TWO = "Drag them. A click asks for the other one."
BENCH_NETWORKS_HELP = (
    "Whatever has its weights here. {most} at most: they stand in one row, and each takes its time "
    "while you drag."
)
NO_SECOND_OBJECT = "none"
OWN_OBJECT = "my own object"
LINK_TO_OBJECT = (
    "The object of this link was somebody's own, and those are never part of a link. Here is "
    "another instead; cut yours out again to see it."
)
SECOND_OBJECT = "Second object"
OF_THE_SECOND = "The second object"
TURNED = "Turned, in degrees"
MIRRORED = "Mirrored"
CLASS_OF_OBJECT_HELP = (
    "The maps show what speaks for this object's class. Several classes can be right for it: every "
    "network is asked for the one that it finds most likely. A click on the other object in a "
    "picture asks for that one."
)
LIGHT, WARMTH = "Light", "Warmth"
LIGHT_HELP = "0 is as photographed, −100 dark, 100 bright."
WARMTH_HELP = "0 is as photographed, −100 bluish, 100 reddish."
BACKGROUND = "Background"
BACKGROUNDS = {"made": "made by chance", "blurred": "blurred photograph"}
BACKGROUND_HELP = "For a picture of your own, see “Own background” above."
BACKGROUND_NUMBER = "Background number"
BENCH_NUMBER_HELP = (
    "Decides which things lie around, and from where the object is hidden. The same number always "
    "gives the same."
)
BENCH_METHOD_HELP = (
    "All that are there at once. CAM and most others look at the last stage, Grad-CAM at the stage "
    "before it: at the last stage it is the CAM."
)
WHO_FINDS = "Which network finds {name}?"
PRESENTING_BENCH = "N new scene · drag an object · click the other one to ask for it · Esc leaves"
EXPLAINED = "Explained: {label}"
EXPLAINED_OWN = "It has no class for this object. Explained: its answer"
ON_OTHER = "on the other object {share}"
EVIDENCE_ON_IT = "Evidence on the object {share}"
ON_IT = "On the object {share}"
POSSIBLE = "possible {share}"
PRESENTING_LAB = "N new scene · drag the {name} · ← → map · Esc leaves"
CHART_KEY = "Line: 95 % interval of the difference from {baseline}. Hollow: may be chance."
BY_CHANCE = "may be chance"
PAIRS = "Every pair"
COST = "Accuracy and cost"
CURVES = "Learning curves"
LIMITS = "Limits"
WHERE_IT_LIES = "Where the evidence lies"
LAB_MEASURE = "Measure"
LAB_PAIRS = "**Pairs, with 95 % intervals** (right of 0: the first is higher)"
LAB_SIZES = "**By size of the object**"
DO_THEY_AGREE = "Do they agree?"
SAME_ANSWER = "**Same answer** (share of scenes)"
ALIKE_MAPS = "**Alike maps** (correlation of CAMs)"
STUDY_TITLE = "Real networks, on photographs whose object is known to the pixel"
STUDY_CHART = "Evidence on the object, of what is possible"
STUDY_KEY = (
    "Dot and line: the mean and its 95 % interval over objects. Beside it: the mean on all scenes, "
    "and how many of all scenes the network names rightly. 100 % is what the object's own outline "
    "reaches on the network's grid."
)
IN_MINIATURE = "The five miniatures, by the same measure: {status}, {change} points."
BY_DEPTH = "Where evidence becomes an object"
BY_DEPTH_ALT = (
    "Grad-CAM's evidence on the object, of what is possible, from the first stage to the last."
)
READING_DEPTH = """
Each dot is a stage of a network: how much of the positive evidence of its Grad-CAM lies on the
object, as a share of what the object's own outline reaches on that stage's grid. From left to right
one goes deeper into the network. At the last stage Grad-CAM is the class activation map.

A stage can lie above the last one: its grid is finer, or its evidence keeps closer to the object.
More than 100 % is possible, where a map marks the middle of the object and leaves its outline out.
"""
TWO_OBJECTS = "Two objects, sizes, backgrounds"
TWO_OBJECTS_ALT = (
    "For each network: evidence on a class's own object and on the other one, evidence on small, "
    "medium and large objects, and how alike maps are over backgrounds."
)
TWO_OBJECTS_LINE = (
    "Means, 95 % intervals in brackets. Two objects: maps of either class, where it is among the "
    "network's first {near}. One object: evidence on it, of what is possible, for the smallest, "
    "middle and largest third. Alike over backgrounds: mean correlation of the maps of one object "
    "at one place on four backgrounds; 1 is the same map."
)
WHICH_METHOD = "Which method finds the object?"
METHODS_BY = "What is told of each method"
ON_ITS_OBJECT = "Evidence on the object"
BRIGHTEST_POINT = "Brightest point on it"
_METHODS_ALT = "For each method and network: {what}; passes through the network, and seconds a map."
ON_ITS_OBJECT_ALT = _METHODS_ALT.format(what="evidence on the object of what is possible")
BRIGHTEST_POINT_ALT = _METHODS_ALT.format(what="how often the brightest point lies on the object")
WHICH_METHOD_LINE = (
    "Scenes with one object: {scenes}; 95 % intervals over objects in brackets. Seconds: the "
    "median of one map of {first}, where the measuring machine had other work as well."
)
NO_METHODS_MEASURED = (
    "Methods have not been measured on these scenes yet. Run `effnet-viz lab objects --methods`; "
    "it can be stopped at any time, and what is measured shows here."
)
WITHOUT_A_MASK = (
    "**Who has no mask** can only compute numbers such as deletion. Do they put methods into the "
    "order of the mask? {found}"
)
WITHOUT_A_MASK_ALT = (
    "For each number that needs no mask: the rank correlation of its order of methods with the "
    "mask's, and its 95 % interval."
)
WITHOUT_A_MASK_LINE = (
    "Spearman's correlation of the ranks of {count} methods on Lite0, {scenes} scenes: 1 is the "
    "same order, −1 the reverse; 95 % intervals over objects in brackets."
)
STUDY_NUMBERS = "All numbers of real networks (JSON)"
READING = "How to read this"
ALL_NUMBERS = "All measured numbers (results.json)"
READING_LAB = """
**The pictures.** Five small networks have learned to name {count} drawn things: B0 in miniature,
and four ways to spend about four times its cost (more layers, more channels, more pixels, or all
three). All five see the same scene, and the maps show what speaks for the object, or for the class
that each network answers. The white line is drawn around what can be seen of the object. Drag the
object in any picture: all five look again as it moves.

**The bar under a picture.** *Evidence on the object* is the share of the positive evidence that
lies inside the line. A map with few cells cannot follow a fine outline; the tick is at what the
outline itself reaches on that grid: *possible*. A network that sees more pixels has more cells:
choose *True grid* under “Look” to see them.

**The chart.** *Evidence* is the positive part of a class activation map (CAM): where the network
found something that speaks for the right class. The masks of the scenes are exact, so one can add
up how much of it lies on the object. Only scenes count that every network classifies correctly.

**The 95 % interval** of a difference is made by drawing the classes again and again at random
(bootstrap), for both networks at once. If it leaves 0 out, the difference is called clear.
"""
READING_MEASURES = """
**Left:** a dot is one run, the bar is their mean. Diamonds are maps that no network made: *uniform*
is the same everywhere, the *dot* and the *Gaussian* only know the middle of the picture, and *the
mask itself* is the object's true outline. A network should be better than the first three, but for
the share of the object covered: a uniform map covers everything.

**Right:** each row is a pair of networks. The dot is the mean difference, the line its 95 %
interval. If the line crosses 0, the difference may be chance. Even between equal networks, one such
interval in twenty misses 0, and there are many of them here: ten for every measure.
"""
READING_ACCURACY = """
**Top-1** is the share of scenes whose most probable class is the right one. *Seen vendors*: new
scenes, made with drawings by artists whose work the network was trained on. *Unseen vendor*: the
same things drawn by somebody else. Every run leaves out another vendor, so runs differ in
difficulty, too.

**Multiply-adds** count the work for one image; × 4 means four times the baseline's.
"""
READING_AGREEMENT = """
**Same answer** counts all scenes of the unseen vendor, right or wrong. **Alike maps** is the
correlation of two networks' CAMs on the scenes that all classify correctly, pooled to the same
grid: 1 is the same pattern, 0 is unrelated, −1 is reversed.
"""
READING_CURVES = """
A **view** is one scene looked at once in training. If a solid line still rises at its right end,
the network had more to learn. A wide gap between dashed and solid means that it learned drawings by
heart, not things. The recipe ends with a learning rate of zero, so every curve flattens.
"""

# Compare scaling
UNTRAINED = "untrained"
SCALED = "scaled"
NETWORKS_COUNTED = "{count} networks"
COMPARE = "Compare"
COMPARE_HELP = (
    "One dimension or compound: the five networks behind Figure 7 of the paper. A whole family: "
    "any of the published models and networks of your own. All have to know the same classes."
)
NETWORK_GONE = "{name} is gone: it is left out of the comparison."
NETWORK_NOT_OPEN = (
    "The checkpoint {name} is not open in this tab: it is left out of the comparison. Open its "
    "file again on the first page."
)
OTHER_CLASSES = (
    "It does not know the class that is compared here. Choose another class, or networks of the "
    "same classes."
)
NETWORKS_TO_COMPARE = "Networks"
SIDE = "Side of the higher resolution, in pixels"
UNTRAINED_TOO = "Also show networks without weights, untrained"
UNTRAINED_TOO_HELP = (
    "Their predictions and maps mean nothing, and say so; their size and time are real."
)
RUN_UNTRAINED = "Run untrained"
REMOVE_NETWORK = "Remove {name}"
DOWNLOAD = "Download {megabytes:.0f} MB"
DOWNLOADING = "The weights are on their way; how far they are stands below the maps."
CLASS = "Class"
NO_NETWORKS = (
    "No network is chosen. Choose some in the list at the top right, and their maps of this "
    "photograph appear here side by side."
)
NONE_USABLE = "None of these networks can be used here."
NONE_USABLE_LINE = "Their places say why and what to do."
COMPARING = "{name} is looking …"
RANK_CORRELATION_OF = "Rank correlation of the maps for {label}"
PRESENTING_SEVERAL = "← → stage · H photograph · Esc leaves"
MINIATURE = "A trained miniature, on a drawn scene"
MINIATURE_DESCRIPTION = (
    "A drawn sailboat with an outline, and over it the map of a small trained network. It is "
    "another network and another picture."
)
SEE_MINIATURES = "See trained miniatures"
NO_WEIGHTS = "No weights were published for {scale}"
SAVE = "Save"
SAVE_CSV = "Table (CSV)"
SAVE_HTML = "Page that opens without a server (HTML)"
SAVE_HINT = (
    "Both hold what has been computed: the maps, how alike they are, and the two tests where they "
    "were started."
)
DETAILS_COMPARED = "The maps explain **{label}**. All networks looked at the same photograph."
READ_DELETION = "How to read deletion and insertion"
READ_POINTING = "How to read the pointing game"
COMPARISON_HELP = {
    "How to read the maps": """
Every network explains the same class on the same photograph, and all pictures move together. What a
network could not see is hatched: larger networks see a slightly different square. Equal colours
mean equal evidence when brightness is *Comparable*; with *Each alone* every map uses all colours,
whatever its values are. A network can be right with an odd map, and wrong with a fine one.
""",
    "How to read the agreement": """
**Rank correlation** compares the order of all places, from least to most important: 1 is the same
order, 0 is unrelated, −1 is reversed. **Overlap** looks only at the most important 20 % of each
map: what both have, as a share of what either has. Both use the part of the photograph that all
networks saw, on a grid of 64×64 places. *Where they differ* shows the standard deviation of each
place's rank.
""",
    READ_DELETION: """
If a map is right about what matters, blurring its brightest places should take the answer away
quickly, and bringing only those back should return it quickly. The numbers say how much of the
answer is left on average: small is good under deletion, large under insertion. Each is a share of
what the network says of the whole photograph, because some networks are surer than others. A
network never saw such half-blurred pictures when it was trained, so read small differences as none.
""",
    READ_POINTING: """
Photographs of different classes are put together into one picture of twice the size. A map of one
class should then lie on its own photograph. The number is the share of positive evidence that does.
It needs nobody to draw outlines, and an even map would get 25 %. A network is used here at twice
its resolution, with the same weights.
""",
}
AGREEMENT = "Agreement"
AGREEMENT_OF = "Rank correlation of every two maps"
AGREEMENT_ENDS = "1 is the same order of places, 0 unrelated."
OVERLAP = "Overlap of the most important 20 % of every two maps"
WHERE_THEY_DIFFER = "Where they differ"
ALIKE, APART = "alike", "apart"
DISAGREEMENT = (
    "Disagreement over the photograph: bright where the networks rank a place differently."
)
WITH_UNTRAINED = "WITH UNTRAINED NETWORKS"
START = "Start, about {time}"
CANCEL = "Cancel"
MEASURING_ENDED = "It ended because you chose something else to look at. Start it again for that."
LOOK_CLOSER = "Look closer"
DELETION = "Deletion and insertion"
DELETION_LINE = (
    "Blur the brightest places first: does the answer fall? Then bring them back. A faithful map "
    "falls early and returns early."
)
DELETION_CURVES = {
    "deletion": "Deletion: lower is better",
    "insertion": "Insertion: higher is better",
}
NO_NETWORK_YET = "No network yet"
DELETION_SHARES = "Answer that is left, on average"
DELETION_STAGE = "How much, in percent of what the network saw"
DELETION_DIRECTION = "The most important part of the photograph"
POINTING = "Pointing game"
POINTING_LINE = (
    "Four photographs in one picture. Asked for one of them, does the map light its quarter? By "
    "chance: 25 %."
)
YOUR_PHOTOGRAPH = "your photograph"
POINTING_PHOTOGRAPHS = "Photographs of different things, two to four"
POINTING_TOO_FEW = (
    "It takes at least two photographs of different things. Add one of your own, or look closer "
    "and choose others."
)
PLAY_WITH_THESE = "Play with these"
NUMBERS = "Numbers"
NETWORK = "Network"
WEIGHTS = "Weights"
BEST_CLASS = "Best class"
RANK = "Rank"
HALF_AREA = "Area holding half the evidence (%)"
HALF_AREA_HELP = (
    "The smallest part of what the network saw that holds half of the positive evidence. An even "
    "map has 50 %."
)
REGIONS = "Regions"
REGIONS_HELP = "Separate pieces of that part."
BORDER = "Distance to the border (0 to 1)"
BORDER_HELP = (
    "Mean distance of the positive evidence to the nearest edge: 0 at the edge, 1 in the middle. "
    "An even map has 0.33."
)
PARAMETERS = "Parameters (M)"
MULTIPLY_ADDS = "Multiply-adds (B)"
TIME_HERE = "Time here (ms)"
TIME_HERE_HELP = "One forward pass on this machine, whatever else it did then."

# Methods

PIXELS = "pixels"
TAKES = "{title}, about {time}"
TAKES_RUNS = "{title}, {runs} runs each"
BRIGHTNESS = "Brightness"
OWN_BRIGHTNESS = (
    "This method's values have no unit, so every map has a brightness of its own: compare where "
    "maps are bright, not how bright they are."
)
USUAL_MAPS = "CAM and Grad-CAM"
COMPUTING = "Computing …"
COMPUTE = "Compute, about {seconds}"
METHOD_PROGRESS = "{title} is being computed. Whatever else you choose ends it."
METHOD_COST = "{runs}, {seconds} s"
RUNS = {0: "no run", 1: "1 run"}
DOUBT = "On this network"
METHODS = "The methods"
METHODS_LINE = "Runs are those of the whole network, forward and back"
METHODS_HEADS = ["Method", "What it computes", "When it misleads", "Source", "Runs", "Seconds here"]

SANITY = "Does the map depend on what was learnt?"
SANITY_LINE = "Scramble the weights from the head down. A map that stays shows something else"
SCRAMBLE = "Scramble the weights, about {time}"
LEFT = "About {time} left. Whatever else you choose ends it."
POSITION = "Scrambled layers"
POSITION_HELP = (
    "0 is the network as trained. Each step gives one more part random weights, from the head "
    "down to the first stage; what was random stays random (Adebayo et al. 2018, arXiv 1810.03292)."
)
POSITION_NOW = "Now: {what}. Probability of the class: {share}."
AS_TRAINED = "as trained"
HEAD_RANDOM = "head random"
STAGES_RANDOM = "head and {stages} random"
ALL_RANDOM = "everything random"
SCRAMBLED = "SCRAMBLED weights"
ALL_CHANGE = (
    "Every map changes as the weights go. That does not make it right: noise changes as well."
)
SOME_STAY = (
    "{titles} {verb} much the same although nothing learnt is left: that comes from the photograph "
    "and the architecture, not from what the network learnt."
)
STAYS = "Hardly changes"
STAYS_HELP = (
    "With nearly all weights random, the map still ranks places as before (mean rank correlation "
    "above 0.5). Do not take it for what the network learnt."
)
RANK_AND_SIMILARITY = "ρ {rank}, SSIM {similarity}"
RANK_CORRELATION = "|ρ| with the original"
SIMILARITY = "SSIM with the original"
LEFT_OUT = "Left out, because they do not run on this network: {titles}."

CONTRAST = "Why {one} and not {other}?"
CONTRAST_LINE = (
    "The difference of two class activation maps: exact, for a score is a sum over places"
)
RATHER_THAN = "Rather than"
CONTRAST_FOR = "Bright speaks for {one}"
CAM_DIFFERENCE = "CAMs"
FINER = "The same question at the chosen stage"
CONTRAST_SUM = (
    "Scores: {one} {first}, {other} {second}; the difference is {difference}. All channels "
    "together make {channels} of it, the constant of the head {bias} (each number rounded by "
    "itself). These channels of the last stage differ most:"
)
CHANNEL = "Channel"
DIFFERENCE = "Difference"
CONTRAST_TABLE = "What the channels that differ most add to either score"

TRUST = "Which to trust"
TRUST_LINE = "No number knows the truth: each asks one question of a map"
MEASURE = "Measure the {count} maps above, about {time}"
MEAN_RANK = "Mean rank"
TRUST_HOW = (
    "In brackets the rank among the methods here, 1 the best; ↑ higher is better, ↓ lower. One "
    "photograph is an example, not a measurement: try others before you prefer a method. Grid "
    "pointing is played with your photographs and the samples, by methods that are quick."
)
TRUST_MEASURES = "What each number asks, and what it does not show"
TRUST_HEADS = ["Number", "What it asks", "What it does not show", "Better"]
BETTER = {"higher": "higher", "lower": "lower"}
TRUST_CHART = "Faithfulness against cost"
TRUST_SECONDS = "Seconds of one map here"
TRUST_FAITHFUL = "Mean rank in deletion, insertion and ROAD, 1 the best"
YES = "yes"
NO = "no"

DIFFER = "Why do these two maps differ?"
DIFFER_LINE = "Two of the maps above, place by place"
SIDES = {"left": "One", "right": "The other"}
DIFFER_PICTURE = "Where {one} ranks a place higher than {other} does, over the photograph."
DIFFER_FOR = "Bright: higher in {one}"
DIFFER_HINT = "Choose “For and against” above to see both sides"
