"""How people ask about a clip, and words that answers take from fixed lists."""

from usam.data.instructions import MUSIC

WHO = (
    "Who is speaking?",
    "Is it a man or a woman?",
    "Is the speaker a man, a woman or a child?",
    "Who talks?",
    "Is the voice male or female?",
    "Is a man or a woman speaking?",
    "What kind of voice is this?",
    "Can you tell who is talking?",
    "Man or woman?",
    "Who do I hear?",
    "What is the speaker's gender?",
    "Is this a man's voice or a woman's?",
)
LANGUAGE = (
    "Which language is spoken?",
    "What language is this?",
    "In which language does the person speak?",
    "What language do they speak?",
    "Is this English?",
    "What language is being used?",
    "Do you recognise the language?",
    "Name the language.",
    "Which language am I hearing?",
)
FIRST = (
    "What comes first?",
    "What do you hear first?",
    "What is heard at the beginning?",
    "How does the clip begin?",
    "What is the first thing you hear?",
    "What starts the clip?",
    "What is there at the start?",
    "How does it start?",
)
LAST = (
    "What comes last?",
    "What do you hear last?",
    "What is heard at the end?",
    "How does the clip end?",
    "What is the last thing you hear?",
    "How does it end?",
    "What is there at the very end?",
    "What ends the clip?",
)
AFTER = (
    "What comes after {}?",
    "What do you hear after {}?",
    "What follows {}?",
    "What is next after {}?",
    "Once {} is over, what do you hear?",
    "And after {}?",
)
BEFORE = (
    "What comes before {}?",
    "What do you hear before {}?",
    "What precedes {}?",
    "What was there before {}?",
)
ORDER = (
    "Describe what you hear in order.",
    "What happens in this clip?",
    "List what you hear, in order.",
    "Describe the clip from beginning to end.",
    "Walk me through the clip.",
    "What do you hear, one after another?",
    "In which order do things happen?",
    "Tell me everything you hear, step by step.",
)
COUNT = ("How many different things do you hear?", "How many parts does the clip have?")
BEHIND = (
    "What is in the background?",
    "What do you hear behind the speech?",
    "What else is heard?",
    "Is there anything in the background?",
    "What other noise is there?",
    "Besides the speaker, what is heard?",
    "What is behind the voice?",
)
PLACE = (
    "Where is this?",
    "Where was this recorded?",
    "What place does it sound like?",
    "What kind of place is this?",
    "Can you tell where they are?",
    "What is the setting?",
)
TEMPO = (
    "Is the music fast or slow?",
    "What is the tempo?",
    "How fast is the music?",
    "Describe the tempo.",
    "What speed is the music?",
)
GENRE = (
    "What genre is this?",
    "What kind of music is this?",
    "Which style of music is it?",
    "Name the genre.",
    "What musical style is it?",
)
MOOD = (
    "What is the mood of the music?",
    "How does the music feel?",
    "Describe the mood of the piece.",
)
SINGING = (
    "Is someone singing?",
    "Are there vocals?",
    "Do you hear a singer?",
    "Does anyone sing?",
    "Is there a vocalist?",
    "Can you hear somebody sing?",
)
HEAR = (
    "Do you hear {}?",
    "Is this {}?",
    "Can you hear {}?",
    "Is there {} in this clip?",
    "Is that {}?",
    "Does this contain {}?",
    "Could that be {}?",
    "Am I hearing {}?",
    "Tell me if you hear {}.",
    "Is {} in it?",
)
MENTION = (
    "Does the speaker mention {}?",
    'Is the word "{}" said?',
    "Does anyone say {}?",
    "Did someone say {}?",
    "Is {} mentioned?",
    "Do they use the word {}?",
    "Was {} said?",
)
UNTOLD_QUESTIONS = (
    "How tall is the speaker?",
    "What is the speaker's name?",
    "Who wrote Hamlet?",
    "What colour is it?",
    "How old is the building?",
    "What day is it?",
    "What is the capital of France?",
    "Who recorded this?",
    "What does the speaker look like?",
    "How much does it cost?",
    "What is the weather like tomorrow?",
    "Which brand is it?",
    "When was this recorded?",
    "What is the person wearing?",
    "What is two plus two?",
    "Who is the president?",
    "How much does the speaker weigh?",
    "What is the speaker's phone number?",
    "What will happen next?",
    "What did the speaker eat for breakfast?",
    "How many people live in this city?",
    "What is the dog's name?",
    "Which city was this recorded in?",
    "Who composed this?",
    "What is his job?",
    "What colour is the car?",
    "How old is the dog?",
    "What time is it?",
    "Who invented the telephone?",
    "What is the meaning of life?",
    "Which microphone was used?",
    "What does the room look like?",
)

# Freer questions, as people ask them (`usam.data.scenes.free_questions`).
SUMMARY = (
    "Summarise the clip.",
    "Summarise the clip in one sentence.",
    "Summarise what you hear.",
    "Give me a summary of this recording.",
    "Sum up what you hear in one sentence.",
    "What is going on?",
    "What is happening here?",
    "Tell me about this clip.",
    "What can be heard?",
    "Give a short description.",
    "What is in the recording?",
    "Explain what you hear.",
    "What do you notice?",
    "Sum it up for me.",
    "One sentence about this clip, please.",
    "What is this a recording of?",
    "Caption this.",
    "Describe it in one sentence.",
    "What happened?",
)
SOURCE = (
    "What is making this noise?",
    "What might this be?",
    "What could that be?",
    "Guess what it is.",
    "Where does the noise come from?",
    "What caused this?",
    "What am I listening to?",
    "What produces that noise?",
    "Any idea what that is?",
    "What sort of noise is it?",
    "What was that?",
)
INSTRUMENTS = (
    "What instruments are playing?",
    "Which instruments do you hear?",
    "Is there an instrument, and which?",
    "What do the musicians play?",
    *MUSIC[1:6],
    "List the instruments.",
    "Can you name the instruments?",
    "Which instrument is being played, if any?",
    "Are there instruments, and which ones?",
)
SPEAKER_IS = (
    "Is the speaker a {}?",
    "Is it a {} who speaks?",
    "Is that a {} speaking?",
    "Is a {} speaking?",
    "Do you hear a {} talking?",
    "Is this the voice of a {}?",
    "Could it be a {} speaking?",
    "Is the person who talks a {}?",
    "I think it is a {}. Right?",
    "The speaker is a {}, correct?",
)
VOICE_IS = (
    "Is the voice {}?",
    "Is it a {} voice?",
    "Does it sound {}?",
    "Is that a {} speaker?",
    "Is the person {}?",
)
SPEAKER_WORDS = {"man": ("man", "man", "guy"), "woman": ("woman", "woman", "lady"), "child": ("child", "kid")}
VOICE_WORDS = {"man": ("male",), "woman": ("female",)}
PEOPLE = (
    "How many people speak?",
    "How many voices do you hear?",
    "How many people are talking?",
    "How many people are there?",
    "Is one person speaking, or several?",
    "How many persons speak in this clip?",
    "What is the number of speakers?",
    "Is it one speaker or more?",
    "How many different voices are there?",
    "How many people do I hear?",
)
LANGUAGES = ("English", "French", "Spanish", "German", "Italian", "Dutch", "Polish", "Czech", "Russian")
LANGUAGE_IS = (
    "Is this {}?",
    "Do they speak {}?",
    "Is the language {}?",
    "Is the person speaking {}?",
    "Is it in {}?",
    "Is {} spoken here?",
    "Is that {} I hear?",
    "Does the speaker use {}?",
)
TOPIC = (
    "What is the speech about?",
    "What are they talking about?",
    "What does the speaker want to say?",
    "What is the topic?",
    "Sum up what is said.",
    "What do they discuss?",
    "What is it about?",
    "What is the main point?",
    "Tell me what the person talks about.",
)
INSIDE = (
    "Is it indoors or outdoors?",
    "Is this inside or outside?",
    "Are we in a room?",
    "Was it recorded outdoors?",
    "Is it in the open air?",
)
MUSIC_BEHIND = (
    "Is there music in the background?",
    "Is music playing behind the speech?",
    "Was there any music behind it?",
    "Any background music?",
    "Is there a tune behind the speaker?",
    "Do you hear music under the speech?",
    "Is there music as well?",
)
CHOICE = (
    "Is it {} or {}?",
    "Do you hear {} or {}?",
    "Is this {} or {}?",
    "What is it, {} or {}?",
    "Would that be {} or {}?",
    "{} or {}?",
    "More like {} or {}?",
    "Decide: {} or {}?",
)
EARLIER = (
    "Does {} come before {}?",
    "Is {} heard before {}?",
    "Do you hear {} before {}?",
    "Does {} happen before {}?",
    "Is {} before {}?",
    "Did {} start before {}?",
    "Does {} precede {}?",
    "Do you get {} first, and then {}?",
)
WHICH_FIRST = (
    "Which comes first, {} or {}?",
    "What is heard earlier, {} or {}?",
    "Which starts first: {} or {}?",
    "Which one is first, {} or {}?",
    "What came first, {} or {}?",
)
WHICH_LAST = (
    "Which comes last, {} or {}?",
    "What is heard later, {} or {}?",
    "Which one is last, {} or {}?",
    "Which comes later, {} or {}?",
)
FEELINGS = (
    "Is the speaker happy or sad?",
    "How does the speaker feel?",
    "Is the speaker angry?",
    "What mood is the speaker in?",
    "Does the speaker sound tired?",
    "Is the person upset?",
    "How is the speaker feeling today?",
    "Does the voice sound nervous?",
    "Is he in a good mood?",
    "Is she sad?",
)
OPINIONS = (
    "Is it dangerous?",
    "What happened before this?",
    "Why was this recorded?",
    "Should I be worried?",
    "How far away is it?",
    "Is it expensive?",
    "Do you like it?",
    "Whose is it?",
    "Can I use this recording?",
    "Is it broken?",
    "Why does it do that?",
)

GENRES = frozenset(
    "classical techno electronic rock ambient opera pop country metal indian jazz disco blues reggae".split()
) | {"new age", "hip hop"}
TEMPI = frozenset({"slow", "fast"})
MOODS = frozenset({"quiet", "loud", "soft"})
VERBS = {  # what a person would say of it, by the last word of its name
    **dict.fromkeys(("dog", "wolf"), "barks"), "cat": "meows", "bird": "sings", "rooster": "crows",
    "cow": "moos", "frog": "croaks", "owl": "hoots", "baby": "cries", "siren": "wails", "alarm": "goes off",
    **dict.fromkeys(("bell", "telephone", "phone", "doorbell"), "rings"), "clock": "ticks",
    **dict.fromkeys(("car", "train"), "passes"), "engine": "runs", "thunder": "rolls", "rain": "falls",
    "wind": "blows",
}  # fmt: skip
VOICES = frozenset({"vocal", "singing", "male voice", "female voice", "choir"})
